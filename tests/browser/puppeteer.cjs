// Drives a lent browser: node puppeteer.cjs CDP_URL SITE. Prints what it saw as one line of JSON.
const puppeteer = require("puppeteer-core");

(async () => {
  const [url, site] = process.argv.slice(2);
  const browser = await puppeteer.connect({ browserWSEndpoint: url, defaultViewport: { width: 700, height: 500 } });
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`${site}/half.html`);
  await page.type("input", "Ann");
  const name = await page.$eval("input", (input) => input.value);
  const picture = await page.screenshot();
  const refused = await page.goto("file:///etc/passwd").catch((error) => error.message);
  const proxied = await browser.createBrowserContext({ proxyServer: "127.0.0.1:1" }).catch((error) => error.message);
  const targets = browser.targets().map((target) => target.url().split(":")[0]);
  console.log(JSON.stringify({ name, picture: picture.length > 100, refused, proxied, targets }));
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
