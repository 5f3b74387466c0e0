// Calls every method of the npm browser-use-sdk (v2) once; prints what it learned as one line of JSON.
// Arguments: the base URL of the service, its key, the URL of a page, the folder with node_modules.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [base, apiKey, page, modules] = process.argv.slice(2);
const require = createRequire(modules + "/x.cjs");
const { BrowserUse, BrowserUseError } = await import(pathToFileURL(require.resolve("browser-use-sdk")).href);

const client = new BrowserUse({ apiKey, baseUrl: base + "/api/v2" });
const NOTHING = "00000000-0000-4000-8000-000000000000";
const task = `Go to ${page}. Extract the main heading.`;
const waiting = `Go to ${page}. Wait 60 seconds.`;
const told = { refused: {} };

async function refused(name, call) {
  try {
    await call();
    told.refused[name] = 0;
  } catch (error) {
    if (!(error instanceof BrowserUseError)) throw error;
    told.refused[name] = error.statusCode;
  }
}

const profile = await client.profiles.create({ name: "npm" });
await client.profiles.list({ pageSize: 5 });
await client.profiles.get(profile.id);
await client.profiles.update(profile.id, { name: "npm too" });

const session = await client.sessions.create({ keepAlive: true, proxyCountryCode: null, profileId: profile.id });
await client.sessions.create();
await client.sessions.list({ filterBy: "active" });
await client.sessions.get(session.id);
await client.sessions.createShare(session.id);
told.share = (await client.sessions.getShare(session.id)).viewCount;
await client.sessions.deleteShare(session.id);
const form = await client.files.sessionUrl(session.id, { fileName: "a.txt", contentType: "text/plain", sizeBytes: 5 });
const body = new FormData();
for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
body.append("file", new Blob(["hello"], { type: "text/plain" }), "a.txt");
told.uploaded = (await fetch(form.url, { method: "POST", body })).ok;

const inSession = await client.tasks.create({ task, sessionId: session.id });
told.waited = (await client.tasks.wait(inSession.id, { timeout: 120_000, interval: 250 })).output;
told.run = (await client.run(task)).output;
await client.tasks.status(inSession.id);
const whole = await client.tasks.get(inSession.id);
told.steps = whole.steps.length;
told.listed = (await client.tasks.list({ sessionId: session.id })).totalItems;
told.log = (await fetch((await client.tasks.logs(inSession.id)).downloadUrl)).ok;
await refused("files.taskOutput", () => client.files.taskOutput(inSession.id, NOTHING));
const long = await client.tasks.create({ task: waiting });
await client.tasks.update(long.id, { action: "pause" });
await client.tasks.update(long.id, { action: "resume" });
told.stopped = (await client.tasks.stop(long.id)).status;
const other = await client.tasks.create({ task: waiting });
told.both = (await client.tasks.stopTaskAndSession(other.id)).status;
await client.sessions.stop(session.id);
await client.sessions.purge(session.id);
await client.sessions.delete(session.id);

const browser = await client.browsers.create({ timeout: 5 });
told.cdp = browser.cdpUrl.startsWith("ws");
await client.browsers.list();
await client.browsers.get(browser.id);
await client.files.browserUrl(browser.id, { fileName: "a.txt", contentType: "text/plain", sizeBytes: 5 });
await client.browsers.downloads(browser.id);
await client.browsers.stop(browser.id);

told.plan = (await client.billing.account()).planInfo.planName;
told.skills = (await client.skills.list()).totalItems;
told.market = (await client.marketplace.list()).totalItems;
const { skills, marketplace } = client;
await refused("skills.create", () => skills.create({ goal: "g", agentPrompt: "do something long" }));
await refused("skills.get", () => skills.get(NOTHING));
await refused("skills.update", () => skills.update(NOTHING, { title: "x" }));
await refused("skills.cancel", () => skills.cancel(NOTHING));
await refused("skills.execute", () => skills.execute(NOTHING, { parameters: {} }));
await refused("skills.refine", () => skills.refine(NOTHING, { feedback: "better, please" }));
await refused("skills.rollback", () => skills.rollback(NOTHING));
await refused("skills.executions", () => skills.executions(NOTHING));
await refused("skills.executionOutput", () => skills.executionOutput(NOTHING, NOTHING));
await refused("skills.delete", () => skills.delete(NOTHING));
await refused("marketplace.get", () => marketplace.get("slug"));
await refused("marketplace.clone", () => marketplace.clone(NOTHING));
await refused("marketplace.execute", () => marketplace.execute(NOTHING, { parameters: {} }));
await client.profiles.delete(profile.id);
await refused("tasks.get", () => client.tasks.get(NOTHING));
await refused("tasks.create", () => client.tasks.create({ task: "" }));
await refused("a wrong key", () => new BrowserUse({ apiKey: "wrong", baseUrl: base + "/api/v2" }).tasks.list());
console.log(JSON.stringify(told));
