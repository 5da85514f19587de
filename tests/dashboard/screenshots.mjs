// node screenshots.mjs: every page in both themes at 1440x900 and 390x844, into NTA_SCREENSHOT_DIR.
// NTA_SCREENSHOT_PAGES=overview,alerts limits the pages.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { enter, fillFirstRun, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const directory = process.env.NTA_SCREENSHOT_DIR;
if (!directory) {
  console.error('NTA_SCREENSHOT_DIR: name a directory for the pictures');
  process.exit(2);
}
await mkdir(directory, { recursive: true });

const kSizes = [
  [1440, 900],
  [390, 844],
];
const kThemes = ['light', 'dark'];
const wanted = process.env.NTA_SCREENSHOT_PAGES?.split(',');
const server = await startServer();
const browser = await startBrowser();
const { page } = browser;

async function shoot(name) {
  for (const [width, height] of kSizes) {
    await page.setViewportSize({ width, height });
    for (const theme of kThemes) {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForTimeout(350);
      await page.screenshot({ path: join(directory, `${name}-${theme}-${width}.png`) });
    }
  }
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) console.log(`${name}: ${overflow} px too wide at 390`);
  await page.setViewportSize({ width: 1440, height: 900 });
}

const kViews = {
  overview: { hash: 'overview?since=-15m&until=now' },
  'overview-hour': { hash: 'overview?since=-6h&until=now&tz=utc' },
  'overview-filtered': { hash: 'overview?since=-1h&until=now&where=proto%3Dudp+and+not+dport%3D53' },
  'overview-empty': { hash: 'overview?since=2020-01-01T00:00:00.000Z&until=2020-01-01T01:00:00.000Z' },
  explore: {
    hash: 'explore?since=-6h&until=now',
    then: async () => {
      await page.locator('[data-row]').nth(2).click();
    },
  },
  'explore-bad-filter': { hash: 'explore?since=-1h&until=now&where=src%3D10.0.0.0%2F8+and+prot%3Dudp' },
  'overview-applications': { hash: 'overview?since=-1h&until=now&mix=application' },
  'overview-categories': { hash: 'overview?since=-24h&until=now&mix=category' },
  'flow-tls': {
    hash: 'explore?since=-1h&until=now&where=app%3Dtls&order=-bytes',
    then: async () => {
      await page
        .locator('[data-row]')
        .first()
        .click({ position: { x: 20, y: 10 }, timeout: 120_000 });
    },
  },
  'flow-ssh': {
    hash: 'explore?since=-6h&until=now&where=app%3Dssh',
    then: async () => {
      await page
        .locator('[data-row]')
        .first()
        .click({ position: { x: 20, y: 10 }, timeout: 120_000 });
      await page.locator('.packet-chart').scrollIntoViewIfNeeded();
    },
  },
  host: { hash: 'hosts/192.0.2.14?since=-6h&until=now' },
  conversations: { hash: 'conversations?since=-6h&until=now' },
  capture: {
    hash: 'overview?since=-15m&until=now',
    then: async () => {
      await page.getByRole('button', { name: 'Capture state' }).click();
    },
  },
  hosts: { hash: 'hosts?since=-6h&until=now' },
  rules: { hash: 'rules' },
  detectors: { hash: 'rules?part=detectors' },
  suppressions: { hash: 'rules?part=suppressions' },
  backtest: { hash: 'rules?part=backtest' },
  firewall: { hash: 'firewall' },
  incidents: { hash: 'incidents' },
  notifications: { hash: 'notifications' },
  logs: { hash: 'logs' },
  audit: { hash: 'audit' },
  backups: { hash: 'backups' },
  health: { hash: 'health' },
  schedule: { hash: 'schedule' },
  settings: { hash: 'settings' },
  users: { hash: 'users' },
  // Last: the replay has to come to something to alert of.
  alerts: {
    hash: 'alerts?since=-24h&until=now',
    then: async () => {
      await page
        .locator('[data-row]')
        .first()
        .click({ position: { x: 20, y: 10 }, timeout: 120_000 });
    },
  },
};

try {
  await page.goto(server.url);
  if (!wanted || wanted.includes('auth')) {
    await page.locator('.auth-box').waitFor();
    await shoot(server.bootstrapToken ? 'first-run' : 'sign-in');
  }
  if (server.bootstrapToken) await fillFirstRun(page, server);
  else await enter(page, server);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  for (const [name, { hash, then }] of Object.entries(kViews)) {
    if (wanted && !wanted.includes(name)) continue;
    await page.goto(`${server.url}/#/${hash}`);
    await page.waitForTimeout(1800);
    await then?.();
    await shoot(name);
    console.log(name);
  }
  if (browser.complaints.length) console.log(browser.complaints.join('\n'));
} finally {
  await browser.close();
  await server.close();
}
