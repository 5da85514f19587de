// A browser at a server that replays the sample, for the tests of detection and notifications.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fillFirstRun, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

// The mock of the dashboard does not know them.
export const kSkip = process.env.NTA_SERVER_BINARY ? false : 'needs NTA_SERVER_BINARY';

export async function open() {
  const server = await startServer();
  const browser = await startBrowser();
  const { page } = browser;
  await page.goto(server.url);
  await fillFirstRun(page, server);
  const navigation = page.getByRole('navigation', { name: 'Main' });
  await navigation.waitFor();
  return {
    server,
    page,
    navigation,
    rows: () => page.locator('[data-row]'),
    go: (hash) => page.goto(`${server.url}/#/${hash}`),
    picture: (name) => picture(page, name),
    noSidewaysScroll: () => noSidewaysScroll(page),
    close: async () => {
      try {
        await browser.close();
      } finally {
        await server.close();
      }
    },
  };
}

// NTA_SCREENSHOTS=DIRECTORY keeps pictures of what people see.
async function picture(page, name) {
  const directory = process.env.NTA_SCREENSHOTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ]) {
    for (const theme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.evaluate((value) => document.documentElement.setAttribute('data-theme', value), theme);
      await page.waitForTimeout(150);
      await page.screenshot({
        path: `${directory}/${name}-${width}-${theme}.png`,
      });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.evaluate(() => document.documentElement.removeAttribute('data-theme'));
}

async function noSidewaysScroll(page) {
  await page.setViewportSize({ width: 390, height: 844 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await page.setViewportSize({ width: 1440, height: 900 });
  assert.ok(wide <= 0, `the page is ${wide} px too wide on a phone`);
}
