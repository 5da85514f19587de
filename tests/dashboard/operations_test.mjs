// Incidents, Health, schedule and retention in a browser: one session, in order.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { enter, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let page;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
  await enter(page, server);
});
after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.close();
  }
});

const at = (hash) => page.goto(`${server.url}/#/${hash}`);
const eventually = async (what, check, timeout = 20_000) => {
  const until = Date.now() + timeout;
  for (;;) {
    if (await check()) return;
    assert.ok(Date.now() < until, `did not happen in time: ${what}`);
    await page.waitForTimeout(100);
  }
};
const timeline = () => page.getByRole('list', { name: 'Timeline' });
const dialog = () => page.getByRole('dialog');

test('Health says in words first whether all is well', async () => {
  await page.getByRole('link', { name: 'Health' }).click();
  const headline = page.getByRole('heading', { level: 1 });
  await headline.waitFor();
  assert.match(await headline.textContent(), /^(Healthy|Look at this|Act now):/);
  assert.match(await page.locator('.headline-sub').textContent(), /memory .* used/i);
  for (const name of ['Processors', 'Memory', 'Disks', 'Network', 'Pipeline', 'API', 'This server'])
    await page.getByRole('heading', { name, exact: true }).waitFor();
});

test('Health shows cores, the file system and the slowest routes of this very server', async () => {
  await page.getByText('Core 0').waitFor({ timeout: 30_000 });
  await page.locator('.meter-label', { hasText: /^\// }).first().waitFor();
  await page
    .getByText(/GET \/api\/v1\//)
    .first()
    .waitFor();
});

test('Incidents are empty at first, and say what they are for', async () => {
  await page.getByRole('link', { name: 'Incidents' }).click();
  await page.getByText('No incident is unresolved.').waitFor();
});

test('An incident is opened, and nothing typed is lost on a mistake', async () => {
  await page.getByRole('button', { name: 'New incident' }).click();
  await page.getByLabel('What happened').fill('x'.repeat(201));
  await page.getByLabel('Description').fill('Seen by the night shift.\nTwo hosts.');
  await page.getByLabel('Severity').last().selectOption('high');
  await page.getByRole('button', { name: 'Open incident' }).click();
  await dialog().getByRole('alert').waitFor();
  assert.match(await dialog().getByRole('alert').textContent(), /title/);
  assert.equal(await page.getByLabel('Description').inputValue(), 'Seen by the night shift.\nTwo hosts.');
  await page.getByLabel('What happened').fill('<b>Scan</b> of the lab');
  await page.getByRole('button', { name: 'Open incident' }).click();
  // As text, not as markup.
  await page.getByRole('heading', { name: '<b>Scan</b> of the lab' }).waitFor();
  assert.match(page.url(), /#\/incidents\/inc-000001/);
});

test('What is done stands on the timeline with its author', async () => {
  await page.getByLabel('State', { exact: true }).selectOption('investigating');
  await timeline().getByText('changed the state from open to investigating').waitFor();
  await page.getByLabel('Comment').fill('It is the new scanner.');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await timeline().getByText('It is the new scanner.').waitFor();
  assert.equal(await page.getByLabel('Comment').inputValue(), '');
  assert.ok((await timeline().getByText('admin', { exact: true }).count()) >= 3);
});

test('A slower change is told that somebody was quicker', async () => {
  const change = page.getByRole('button', { name: 'Change…' });
  await change.click();
  await page.evaluate(async () => {
    // The same person in another tab.
    const login = await fetch('/api/v1/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: sessionStorage.getItem('nta.refresh_token') }),
    }).then((answer) => answer.json());
    sessionStorage.setItem('nta.refresh_token', login.refresh_token);
    await fetch('/api/v1/incidents/inc-000001/comments', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${login.token}` },
      body: JSON.stringify({ text: 'From another tab.' }),
    });
  });
  await page.getByLabel('What happened').fill('Scan by ours');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog().getByRole('alert').waitFor();
  assert.match(await dialog().getByRole('alert').textContent(), /meanwhile/);
  assert.equal(await page.getByLabel('What happened').inputValue(), 'Scan by ours');
  await page.keyboard.press('Escape');
});

test('A capture is added as evidence, saved again, and found in the export', async () => {
  const sample = await readFile(new URL('../data/sample.pcap', import.meta.url));
  await page.getByRole('button', { name: 'Add a file…' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('Choose a file first.').waitFor();
  await page.getByLabel('File').setInputFiles({
    name: 'night shift.pcap',
    mimeType: 'application/octet-stream',
    buffer: sample.subarray(0, 300_000),
  });
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const evidence = page.getByRole('region', { name: 'Evidence' });
  await evidence.getByText('night shift.pcap').waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save night shift.pcap' }).click();
  const bytes = await readFile(await (await saved).path());
  assert.ok(bytes.equals(sample.subarray(0, 300_000)), 'the bytes are those that were added');
  const exported = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const file = await exported;
  assert.equal(file.suggestedFilename(), 'inc-000001.tar');
  const tar = await readFile(await file.path());
  assert.ok(tar.includes('inc-000001/SHA256SUMS') && tar.includes('night_shift.pcap'));
});

test('A link to flows leads to them', async () => {
  await page.getByRole('button', { name: 'Link…' }).click();
  await page.getByLabel('Kind').selectOption('flows');
  await page.getByLabel('Target').fill('proto=tcp');
  await page.getByRole('button', { name: 'Link', exact: true }).click();
  await page.getByRole('link', { name: 'proto=tcp' }).click();
  await page.waitForURL(/#\/explore\?.*where=proto/);
  await page.goBack();
});

test('The list finds incidents by state and text', async () => {
  await page.getByRole('link', { name: 'All incidents' }).click();
  await page.getByRole('link', { name: '<b>Scan</b> of the lab' }).waitFor();
  await page.getByRole('radio', { name: 'Ended' }).click();
  await page.getByText('There is no such incident.').waitFor();
  await page.getByRole('radio', { name: 'All', exact: true }).click();
  await page.getByLabel('Search incidents').fill('nothing of it');
  await page.getByText('No incident fits the search.').waitFor();
});

test('An alert becomes an incident that holds it', async () => {
  let row;
  await eventually(
    'an alert',
    async () => {
      await at('alerts?since=-1h&until=now');
      await page.waitForTimeout(1500);
      row = page.locator('[data-row] .row-button').first();
      return (await row.count()) > 0;
    },
    120_000,
  );
  const summary = await row.textContent();
  await row.click();
  await page.getByRole('link', { name: 'Open an incident…' }).click();
  await dialog().waitFor();
  assert.equal(await page.getByLabel('What happened').inputValue(), summary.slice(0, 200));
  await page.getByRole('button', { name: 'Open incident' }).click();
  await page.getByRole('region', { name: 'Links' }).getByText('Alert').waitFor();
  await page.getByRole('button', { name: 'Keep its packets' }).click();
  await page.getByRole('region', { name: 'Evidence' }).getByText('packets.pcapng').waitFor();
  // Flows are stored when they end; until then there is nothing to keep.
  const kept = page.getByRole('region', { name: 'Evidence' }).getByText('flows.jsonl');
  await eventually(
    'the flows as evidence',
    async () => {
      await page.getByRole('button', { name: 'Keep as evidence' }).click();
      await page.waitForTimeout(2000);
      return (await kept.count()) > 0;
    },
    90_000,
  );
});

test('Retention says what it would delete, and keeps what was set', async () => {
  await page.getByRole('link', { name: 'Settings' }).click();
  const days = page.getByLabel('Flows and their totals in days');
  await days.fill('never');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText(/a number of days, or nothing for good/).waitFor();
  await days.fill('90');
  await page.getByLabel('Size of the database in GiB').fill('2.5');
  await page.getByLabel('Alerts in MiB').fill('64');
  await page.getByRole('group', { name: 'Flows and their totals' }).getByText(/ now$/).waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved what is kept for how long.').waitFor();
  await page.reload();
  await days.waitFor();
  assert.equal(await days.inputValue(), '90');
  assert.equal(await page.getByLabel('Size of the database in GiB').inputValue(), '2.5');
  assert.equal(await page.getByLabel('Measures of health in days').inputValue(), '30');
  assert.equal(await page.getByLabel('Alerts in MiB').inputValue(), '64');
});

test('Schedule lists the jobs; one is run by hand, paused and resumed', async () => {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Schedule' }).click();
  await page.getByRole('heading', { level: 1, name: 'Schedule' }).waitFor();
  for (const name of ['health_sample', 'log_rotation', 'audit_checkpoint', 'backup', 'daily_summary'])
    await page.locator(`[data-job=${name}]`).waitFor();
  const job = page.locator('[data-job=retention]');
  await page.getByRole('button', { name: 'Run retention now' }).click();
  await job.getByText(/Last: done .*by hand/).waitFor();
  await job.getByText(/deleted 0 flows/).waitFor();
  await page.getByRole('button', { name: 'Pause retention' }).click();
  await job.getByText('paused', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume retention' }).click();
  await job.getByText('fine', { exact: true }).waitFor();
  await job.getByText(/1 run in all, 0 failed, 0 missed/).waitFor();
});

test('The times of a job are changed, kept, and set back', async () => {
  const job = page.locator('[data-job=daily_summary]');
  await page.getByRole('button', { name: 'Times of daily summary' }).click();
  await dialog().getByLabel('At', { exact: true }).fill('04:45');
  await dialog().getByLabel('Clock').selectOption('utc');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await job.getByText(/Daily at 04:45 UTC/).waitFor();
  await page.getByRole('button', { name: 'Times of retention' }).click();
  await dialog().getByLabel('Every', { exact: true }).fill('0');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().getByRole('alert').waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await job.getByText(/Daily at 04:45 UTC/).waitFor();
  await page.getByRole('button', { name: 'Times of daily summary' }).click();
  await dialog().getByRole('button', { name: 'Back to the times it came with' }).click();
  await job.getByText(/Daily at 00:10 local time/).waitFor();
});

test('Health says when nothing is watched, and an alert is raised by a threshold that is set', async () => {
  await page.getByRole('link', { name: 'Health' }).click();
  await page.getByRole('button', { name: /thresholds…/ }).click();
  const remove = dialog().getByRole('button', { name: 'Remove row 1', exact: true });
  // The rows are asked for when the dialog opens.
  await remove.waitFor();
  while ((await remove.count()) > 0) await remove.click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().waitFor({ state: 'detached' });
  await page
    .getByRole('heading', { level: 1, name: /Not watched: no thresholds are set/ })
    .waitFor({ timeout: 90_000 });
  await page.getByRole('button', { name: 'Set thresholds…' }).click();
  await dialog().getByRole('button', { name: 'Add a threshold' }).click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().getByRole('alert').waitFor();
  await dialog().getByLabel('Value, row 1').fill('memory.usage');
  await dialog().getByLabel('From, row 1').fill('0.0001');
  await dialog().getByLabel('Over at, row 1').fill('0');
  await dialog().getByLabel('For (s), row 1').fill('0');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().waitFor({ state: 'detached' });
  await page.getByRole('heading', { level: 1, name: /Look at this: .*memory/ }).waitFor({ timeout: 90_000 });
  await page.getByRole('button', { name: '1 threshold…' }).click();
  await dialog().getByRole('button', { name: 'Restore the defaults' }).click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: /2\d thresholds…/ }).waitFor();
});

test('The pages fit a small screen', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const hash of ['health', 'incidents?state=all', 'incidents/inc-000001', 'schedule', 'settings']) {
    await at(hash);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(500);
    const overflow = await page.evaluate(() => {
      const main = document.getElementById('main');
      return main.scrollWidth - main.clientWidth;
    });
    assert.ok(overflow <= 1, `${hash} is ${overflow} px too wide`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('Settings lead to what is set elsewhere, and say how it is set', async () => {
  await at('settings');
  const row = (name) => page.locator('.elsewhere li', { has: page.getByRole('link', { name, exact: true }) });
  await row('Log rotation')
    .getByText(/after .* kept/)
    .waitFor();
  await row('Schedule')
    .getByText(/\d+ jobs/)
    .waitFor();
  await row('Thresholds')
    .getByText(/\d+ set/)
    .waitFor();
  for (const [name, page_name] of [
    ['Thresholds', 'health'],
    ['Notifications', 'notifications'],
    ['Users', 'users'],
  ]) {
    await at('settings');
    await row(name).getByRole('link').click();
    await page.waitForFunction((wanted) => location.hash.startsWith(`#/${wanted}`), page_name);
  }
});

test('A new user is made by somebody who can read what each role may do', async () => {
  await at('users');
  await page.getByRole('button', { name: 'New user' }).click();
  for (const words of ['changes nothing', 'drafts the firewall', 'puts the firewall into force'])
    await dialog().getByText(words).waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
});

test('A job is not given an interval that makes no sense', async () => {
  await at('schedule');
  const job = page.locator('[data-job="retention"]');
  await job.getByRole('button', { name: /^Times|^Change/ }).click();
  await dialog().getByLabel('Every', { exact: true }).fill('1');
  await dialog().getByLabel('Unit').selectOption('1');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().getByText('This job runs at most every minute.').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
});

test('The browser has had nothing to complain of', () => {
  assert.deepEqual(browser.complaints, []);
});
