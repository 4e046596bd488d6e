/** Two who talk in turns have noise removed from what they say before anything else looks at it, and send nothing while they listen: what is left decides what is sent. */
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectNoInterruption, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const noiseRemoved: Scenario = scenario({
  name: "noise-removed",
  asks: "Do words get through the removal of noise in front of the detector of voice, which sends nothing where it leaves nothing?",
  tags: ["dtx", "denoise"],
  duration: "12s",
  dtx: true,
  denoise: true,
  calls: [{ callerSays: "turns-a", calleeSays: "turns-b" }],
  expect: [
    expectConnect(),
    expectMedia({ frames: 50 }),
    expectSameCall(),
    expectConcealment({ max: 0.01 }),
    expectNoInterruption(),
  ],
  twin: { mutation: "noise-removal-in-wrong-scale", breaks: "media-flows" },
});

export default noiseRemoved;
