/** What campaign.html does in a browser: sorts its tables by their heads, keeps only the rows that contain a text, and copies commands. Without it the tables are in the order they were written in. */

/** Turns the rows of a table by one of its heads. The value of a cell is `data-v`, a number, or its text. */
function sortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (body === undefined) return;
  for (const [column, head] of heads.entries())
    head.querySelector("button")?.addEventListener("click", () => {
      // What was written first is the worst first: a first click keeps to that, the next turns it.
      const isFalling = head.getAttribute("aria-sort") !== "descending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isFalling ? "descending" : "ascending");
      const sorted = [...body.rows].sort((a, b) => order(a.cells[column], b.cells[column], isFalling));
      body.append(...sorted);
    });
}

/** Cells without a number come last, whichever way. */
function order(a: HTMLElement | undefined, b: HTMLElement | undefined, isFalling: boolean): number {
  const way = isFalling ? -1 : 1;
  const [x, y] = [a?.dataset.v, b?.dataset.v];
  if (x === undefined && y === undefined) return -way * (a?.textContent ?? "").localeCompare(b?.textContent ?? "", "en");
  if (x === "" || y === "") return Number(x === "") - Number(y === "");
  return way * (Number(x) - Number(y));
}

function startCampaign(): void {
  document.documentElement.classList.add("scripted");
  for (const table of document.querySelectorAll<HTMLTableElement>("table.sortable")) sortable(table);
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-filters]"))
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase();
      const rows = document.querySelectorAll<HTMLTableRowElement>(`#${field.dataset.filters} tbody tr`);
      for (const row of rows) row.hidden = words !== "" && !(row.textContent ?? "").toLowerCase().includes(words);
    });
  for (const button of document.querySelectorAll<HTMLButtonElement>("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const code = button.previousElementSibling;
      if (code === null) return;
      const selection = getSelection();
      selection?.selectAllChildren(code);
      // The old way works from files, where the new one may be refused.
      button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
      if (button.textContent === "Copied") selection?.removeAllRanges();
    });
  }
  // A link into what is folded opens it.
  const open = (): void => {
    const target = location.hash === "" ? null : document.getElementById(location.hash.slice(1));
    target?.closest("details")?.setAttribute("open", "");
    target?.scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", open);
  open();
  document.documentElement.dataset.ready = "yes";
}

startCampaign();
