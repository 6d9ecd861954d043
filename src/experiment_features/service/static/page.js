// The page: asks the service and shows what it answers. Texts from the service go in as text, never as HTML.

const KEPT_AS = "bearer";
const LOOK_MILLISECONDS = 3000;
const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

class Unauthorised extends Error {}

/** The answer of a call; throws an Error with the problem's sentence where there is none. */
async function call(path, options = {}) {
  const brought = sessionStorage.getItem(KEPT_AS);
  const headers = brought ? { Authorization: `Bearer ${brought}` } : {};
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Error("The service does not answer.");
  }
  if (answer.status === 401) {
    askForToken(Boolean(brought));
    throw new Unauthorised("The service needs a token.");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? `The service answered ${answer.status}.`), { status: answer.status, problem });
  }
  return answer;
}

const json = async (path, options) => (await call(path, options)).json();

function askForToken(isWrong) {
  if (!element("token-form").hidden && !isWrong) return;
  sessionStorage.removeItem(KEPT_AS);
  element("token-error").textContent = isWrong ? "This is not the token of the service." : "";
  element("token-form").hidden = false;
  element("token").focus();
}

element("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEPT_AS, element("token").value);
  element("token").value = "";
  element("token-form").hidden = true;
  showAll();
});

function fill(table, rows) {
  element(table).tBodies[0].replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      for (const cell of cells) {
        const { text, kind = "", badge } = typeof cell === "object" && cell !== null ? cell : { text: cell };
        const place = document.createElement("td");
        place.className = kind;
        if (badge) {
          const mark = place.appendChild(document.createElement("span"));
          mark.className = `outcome ${badge}`;
          mark.textContent = badge;
        } else {
          place.textContent = text ?? "–";
        }
        row.append(place);
      }
      return row;
    }),
  );
}

const count = (value) => ({ text: value === null || value === undefined ? null : number.format(value), kind: "number" });
const cell = (value) => ({ text: value, kind: typeof value === "number" ? "number" : "" });
const users = (amount) => `${number.format(amount)} ${amount === 1 ? "user" : "users"}`;

// Health

async function showHealth() {
  const place = element("health");
  let text;
  let isGood = true;
  try {
    const health = await json("/health");
    text = health.published ? `Features published ${time.format(new Date(health.published))}` : "Nothing published yet";
  } catch (error) {
    text = error.message;
    isGood = false;
  }
  // A screen reader speaks every change, and only changes.
  if (place.textContent !== text) place.textContent = text;
  place.className = `health ${isGood ? "good" : "bad"}`;
}

// The run and those before it

let followed = null;
let shownRun = null;

function reasonsOf(run) {
  // The sentences of a run that looked at the rows say more than a test that counted them.
  const nodes = run.failed_nodes.filter((node) => !(run.causes.length && node.node.includes(".rejected_rows_are_tolerable")));
  const reasons = nodes.map((node) => `${node.node.split(".")[2]}: ${node.message ?? node.status}`);
  if (run.message) reasons.push(...(run.causes.length ? run.message.split("\n") : [run.message]));
  return reasons;
}

function showRun(run) {
  shownRun = run;
  const isRunning = run.status === "running";
  const states = {
    running: `Running, started by ${run.started_by}`,
    succeeded: "The last run succeeded.",
    failed: "The last run failed; what was published before stays.",
    cancelled: "The last run was cancelled; the published tables are complete, either from an earlier run or from that one.",
    interrupted: "The last run was interrupted; the published tables are complete, either from an earlier run or from that one.",
  };
  if (element("run-state").textContent !== states[run.status]) element("run-state").textContent = states[run.status];
  const isCounted = run.nodes_total !== null;
  element("run-count").textContent = isCounted ? `${run.nodes_done} of ${run.nodes_total} steps` : isRunning ? "preparing" : "";
  const bar = element("progress");
  if (isCounted) {
    bar.max = Math.max(1, run.nodes_total);
    bar.value = run.nodes_done;
  } else if (isRunning) {
    bar.removeAttribute("value");
  } else {
    bar.max = 1;
    bar.value = 0;
  }
  bar.closest("section").className = `card run ${run.status}`;
  element("start").disabled = isRunning;
  element("cancel").hidden = !isRunning;
  showReasons(isRunning || run.status === "succeeded" ? [] : reasonsOf(run));
}

function showReasons(reasons) {
  const place = element("run-reasons");
  place.hidden = reasons.length === 0;
  const list = document.createElement("ul");
  for (const reason of reasons) list.appendChild(document.createElement("li")).textContent = reason;
  place.replaceChildren(list);
}

/** Shows a run as it goes on, by server-sent events; fetch reads them, since EventSource brings no token. */
async function follow(id) {
  if (followed === id) return;
  followed = id;
  try {
    const answer = await call(`/etl/${encodeURIComponent(id)}/events`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) showRun(JSON.parse(event.slice("data: ".length)));
    }
  } catch (error) {
    if (!(error instanceof Unauthorised) && error.message) console.info(error.message);
  } finally {
    followed = null;
  }
  if (shownRun?.id === id && shownRun.status !== "running") await Promise.allSettled([showHealth(), showRuns(), showPublished()]);
}

async function showRuns() {
  const { runs } = await json("/etl?limit=10");
  fill(
    "runs-table",
    runs.map((run) => [
      { badge: run.status },
      time.format(new Date(run.started)),
      count(run.finished && Math.round((new Date(run.finished) - new Date(run.started)) / 100) / 10),
      run.started_by,
      count(run.rows_read),
      count(run.rows_published),
      count(run.rows_rejected),
      { text: ["running", "succeeded"].includes(run.status) ? "" : reasonsOf(run).join(" "), kind: "wrap" },
    ]),
  );
  if (!runs.length || followed) return;
  if (runs[0].status === "running") follow(runs[0].id);
  else if (shownRun?.id !== runs[0].id || shownRun.status !== runs[0].status) {
    const isNews = shownRun !== null;
    showRun(runs[0]);
    if (isNews) await showPublished();
  }
}

element("start").addEventListener("click", async () => {
  element("start").disabled = true;
  showReasons([]);
  try {
    const run = await json("/etl", { method: "POST" });
    showRun(run);
    follow(run.id);
  } catch (error) {
    if (error.status === 409) follow(error.problem.run);
    else element("start").disabled = false;
    showReasons([error.message]);
  }
});

element("cancel").addEventListener("click", async () => {
  element("cancel").disabled = true;
  try {
    await call(`/etl/${encodeURIComponent(shownRun.id)}/cancel`, { method: "POST" });
  } catch (error) {
    showReasons([error.message]);
  } finally {
    element("cancel").disabled = false;
  }
});

// The features: pages by key, and the page shown sorted by a column

const pages = [null];
let rows = [];
let following = null;
let sorting = { key: "user_id", direction: 1 };

async function showFeatures() {
  const parameters = new URLSearchParams({ limit: element("page-size").value });
  const after = pages.at(-1);
  if (after !== null) parameters.set("after", after);
  try {
    const page = await json(`/features?${parameters}`);
    rows = page.features;
    following = page.next && rows.at(-1).user_id;
    showRows();
    const where = rows.length ? `Users ${rows[0].user_id} to ${rows.at(-1).user_id}, ${rows.length} on this page` : "No users";
    element("features-state").textContent = `${where}.`;
  } catch (error) {
    if (error.status === 404) rows = [];
    showRows();
    element("features-state").textContent = error.message;
  }
  element("previous").disabled = pages.length === 1;
  element("next").disabled = following === null;
}

const keys = Array.from(document.querySelectorAll("#features-table th"), (heading) => heading.dataset.key);

function showRows() {
  const { key, direction } = sorting;
  const sorted = rows.toSorted((one, other) => {
    const [left, right] = [one[key], other[key]];
    if (left === null || right === null) return (left === null) - (right === null);
    return direction * (typeof left === "number" ? left - right : String(left).localeCompare(String(right), undefined, { numeric: true }));
  });
  fill(
    "features-table",
    sorted.map((user) => keys.map((key) => (typeof user[key] === "number" && !key.endsWith("_id") ? count(user[key]) : cell(user[key])))),
  );
}

for (const heading of document.querySelectorAll("#features-table th")) {
  heading.querySelector("button").addEventListener("click", () => {
    const key = heading.dataset.key;
    sorting = { key, direction: sorting.key === key ? -sorting.direction : 1 };
    for (const other of document.querySelectorAll("#features-table th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", sorting.direction === 1 ? "ascending" : "descending");
    showRows();
  });
}

element("next").addEventListener("click", () => {
  pages.push(following);
  showFeatures();
});
element("previous").addEventListener("click", () => {
  pages.pop();
  showFeatures();
});
element("page-size").addEventListener("change", () => {
  pages.length = 1;
  showFeatures();
});

// Rejected rows and plots

async function showRejected() {
  const place = element("rejected-state");
  const region = element("rejected-table").closest(".scroll");
  try {
    const { reasons } = await json("/rejected/reasons");
    const sum = (isKept) => reasons.filter((one) => one.row_kept === isKept).reduce((total, one) => total + one.count, 0);
    place.textContent = reasons.length
      ? `${number.format(sum(false))} rows were rejected, and ${number.format(sum(true))} cells of other rows left out.`
      : "Every row and every cell of the published input was used.";
    fill("rejected-table", reasons.map((one) => [one.file, { text: one.reason, kind: "wrap" }, one.row_kept ? "the cell" : "the row", count(one.count)]));
    region.hidden = reasons.length === 0;
  } catch (error) {
    place.textContent = error.message;
    region.hidden = true;
  }
}

async function showPlot(name) {
  const place = document.querySelector(`#plot-${name} .plot`);
  try {
    const answer = await call(`/plots/${name}.svg`);
    const svg = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    place.replaceChildren(document.importNode(svg, true));
  } catch (error) {
    place.textContent = error.message;
  }
}

function showPublished() {
  return Promise.allSettled([showFeatures(), showRejected(), showPlot("experiments_per_user"), showPlot("most_used_compounds")]);
}

function showAll() {
  return Promise.allSettled([showHealth(), showRuns(), showPublished()]);
}

await showAll();
setInterval(() => {
  if (document.visibilityState === "visible" && element("token-form").hidden) Promise.allSettled([showHealth(), showRuns()]);
}, LOOK_MILLISECONDS);
