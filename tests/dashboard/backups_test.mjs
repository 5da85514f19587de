// Backups on the dashboard: made with progress, verified, restored under an open page, taken to an empty machine.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fillFirstRun, fillSignIn, startBrowser } from './browser.mjs';
import { randomPassword, startServer } from './server.mjs';

// The mock server keeps no backups.
const options = process.env.NTA_SERVER_BINARY ? {} : { skip: 'needs NTA_SERVER_BINARY' };
let server;
let browser;
let page;
let directory;

before(async () => {
  if (options.skip) return;
  directory = await mkdtemp(join(tmpdir(), 'nta-backups-'));
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
  await page.goto(server.url);
  await fillFirstRun(page, server);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
});
after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  }
});

// Calls of one user to one server.
async function signIn(url, { username, password }) {
  const headers = { 'Content-Type': 'application/json' };
  const send = async (method, path, body) => {
    const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  };
  headers.Authorization = `Bearer ${(await send('POST', '/api/login', { username, password })).token}`;
  return send;
}

// Rules, users, settings, and the flows and alerts until a moment: those that are in a backup stay what they are.
async function whatIsThere(call, until) {
  const past = `since=2000-01-01T00:00:00Z&until=${until}&limit=1000`;
  const texts = (list) => list.map((one) => JSON.stringify(one));
  return {
    flows: texts((await call('GET', `/api/v1/flows?${past}`)).flows),
    alerts: (await call('GET', `/api/v1/alerts?${past}`)).alerts.map(({ id }) => String(id)),
    rules: (await call('GET', '/api/v1/alert-rules')).rules.map(({ id, title, expression }) =>
      [id, title, expression].join(' '),
    ),
    users: texts((await call('GET', '/api/v1/users')).users),
    settings: texts([(await call('GET', '/api/v1/settings/retention')).settings]),
  };
}

const rows = () => page.locator('[data-backup]');
const dialog = () => page.getByRole('dialog');
const jobSays = (text) => page.locator('.backup-job', { hasText: text }).waitFor({ timeout: 60_000 });

test('An empty list says what a backup is', options, async () => {
  await page.getByRole('link', { name: 'Backups' }).click();
  await page.getByText('There is no backup yet').waitFor();
});

test('A backup is made, verified and marked so', options, async () => {
  await page.getByRole('button', { name: 'Back up now' }).click();
  await dialog().getByRole('button', { name: 'Back up' }).click();
  await jobSays('Backup done.');
  await rows().getByText('✓ verified').waitFor();
  await page.getByText('Everything can be brought back to').waitFor();
});

test('An encrypted one asks for its passphrase, and says why another is wrong', options, async () => {
  await page.getByRole('button', { name: 'Back up now' }).click();
  await dialog().getByLabel('Passphrase', { exact: true }).fill('7 chars');
  await dialog().getByLabel('Passphrase again').fill('7 chars');
  await dialog().getByRole('button', { name: 'Back up' }).click();
  await dialog().getByText('A passphrase has at least 8 characters.').waitFor();
  await dialog().getByLabel('Passphrase', { exact: true }).fill('correct horse');
  await dialog().getByLabel('Passphrase again').fill('correct hors');
  await dialog().getByRole('button', { name: 'Back up' }).click();
  await dialog().getByText('The two passphrases differ.').waitFor();
  await dialog().getByLabel('Passphrase again').fill('correct horse');
  await dialog().getByRole('button', { name: 'Back up' }).click();
  await jobSays('Backup done.');
  const encrypted = rows().filter({ hasText: 'encrypted' });
  await encrypted.getByRole('button', { name: /^Verify/ }).click();
  await dialog().getByLabel('Passphrase').fill('wrong');
  await dialog().getByRole('button', { name: 'Verify' }).click();
  await jobSays('passphrase is wrong');
  await page.getByRole('button', { name: 'Dismiss' }).first().click();
});

test('A restore says what will happen and keeps the page', options, async () => {
  const plain = rows().filter({ hasNotText: 'encrypted' });
  await plain.getByRole('button', { name: /^Restore/ }).click();
  await dialog().getByText('Capture goes on').waitFor();
  await dialog().getByText('is kept beside it until the next restore').waitFor();
  await dialog()
    .getByRole('button', { name: /^Restore/ })
    .click();
  await jobSays('Restore done.');
  await page
    .getByRole('list', { name: 'Notices of the server' })
    .getByText('was restored')
    .waitFor({ timeout: 45_000 });
  assert.equal(await rows().count(), 2, 'the session went on, and backups are beside the database');
  await page
    .getByRole('list', { name: 'Notices of the server' })
    .getByRole('button', { name: 'Dismiss' })
    .click();
  await page.getByRole('list', { name: 'Notices of the server' }).waitFor({ state: 'detached' });
});

test('A file that is no backup is refused in words', options, async () => {
  const file = join(directory, 'fake.ntabackup');
  await writeFile(file, 'nothing of the kind');
  await page.getByLabel('File of a backup').setInputFiles(file);
  await page.getByText('it is not a backup of libnta').waitFor();
});

test('An empty machine is brought back from a downloaded file', options, async () => {
  const call = await signIn(server.url, server);
  await call('POST', '/api/v1/alert-rules', { title: 'busy', expression: 'count() > 1 in 1m' });
  await call('POST', '/api/v1/users', { username: 'mia', password: randomPassword(), role: 'operator' });
  await call('PUT', '/api/v1/settings/retention', { flow_days: 36500 });
  // A guesser makes an alert.
  for (let i = 0; i < 12; ++i) {
    await fetch(`${server.url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'mia', password: randomPassword() }),
    });
  }
  const moment = new Date().toISOString();
  let before;
  const end = Date.now() + 30_000;
  do {
    await page.waitForTimeout(200);
    before = await whatIsThere(call, moment);
    assert.ok(Date.now() < end, 'flows and alerts are stored in time');
  } while (before.flows.length === 0 || before.alerts.length === 0);
  await page.getByRole('button', { name: 'Back up now' }).click();
  await dialog().getByRole('button', { name: 'Back up' }).click();
  await rows().nth(2).waitFor({ timeout: 60_000 });
  await jobSays('Backup done.');
  const download = page.waitForEvent('download');
  await rows()
    .filter({ hasNotText: 'encrypted' })
    .first()
    .getByRole('button', { name: /^Download/ })
    .click();
  const file = join(directory, 'taken.ntabackup');
  await (await download).saveAs(file);

  const fresh = await startServer();
  const other = await browser.page.context().newPage();
  try {
    await other.goto(fresh.url);
    await fillFirstRun(other, { ...fresh, username: 'temporary' });
    await other.getByRole('navigation', { name: 'Main' }).waitFor();
    await other.goto(`${fresh.url}/#/backups`);
    await other.getByLabel('File of a backup').setInputFiles(file);
    await other.locator('[data-backup]').waitFor();
    await other.getByRole('button', { name: /^Restore/ }).click();
    await other
      .getByRole('dialog')
      .getByRole('button', { name: /^Restore/ })
      .click();
    // The first administrator of the empty machine is not in the backup: back to the sign-in page.
    await other.getByRole('button', { name: 'Sign in' }).waitFor({ timeout: 60_000 });
    await fillSignIn(other, server.username, server.password);
    await other.getByRole('navigation', { name: 'Main' }).waitFor();
    await other.goto(`${fresh.url}/#/users`);
    await other.locator('.user-name', { hasText: server.username }).waitFor();
    assert.equal(await other.locator('.user-name', { hasText: 'temporary' }).count(), 0);
    const now = await whatIsThere(await signIn(fresh.url, server), moment);
    for (const name of Object.keys(before)) {
      const here = new Set(now[name]);
      const lacking = before[name].filter((one) => !here.has(one));
      assert.deepEqual(lacking, [], `the ${name} are back`);
    }
    assert.equal(now.rules.length, before.rules.length);
    assert.equal(now.users.length, before.users.length);
  } finally {
    await other.close();
    await fresh.close();
    const [taken] = (await call('GET', '/api/v1/backups')).backups;
    await call('DELETE', `/api/v1/backups/${taken.name}`);
    await page.reload();
    await rows().nth(1).waitFor();
  }
});

test('Each shows its name, and one that is not usable offers no restore', options, async () => {
  const name = '20260101T000000Z-0123456789ab';
  const file = join(server.directory, 'data', 'backups', `${name}.ntabackup`);
  await writeFile(file, 'rotten', { mode: 0o600 });
  await page.reload();
  const bad = page.locator(`[data-backup="${name}"]`);
  await bad.getByText('not usable').waitFor();
  assert.equal(await bad.getByRole('button', { name: /^Restore/ }).count(), 0);
  for (const row of await rows().filter({ hasNotText: 'not usable' }).all()) {
    const shown = await row.getAttribute('data-backup');
    await row.locator('.backup-name', { hasText: shown }).waitFor();
    await row.getByRole('button', { name: `Restore ${shown}` }).waitFor();
  }
  await rm(file);
  await page.reload();
  await bad.waitFor({ state: 'detached' });
});

test('What goes is shown before it goes', options, async () => {
  await page.getByRole('button', { name: 'Keep…' }).click();
  await dialog().getByLabel('Newest backups').fill('1');
  await dialog().getByRole('button', { name: 'Show what would go' }).click();
  await dialog().getByText('1 backup would be deleted now, 1 kept.').waitFor();
  await dialog().getByRole('button', { name: 'Save and delete' }).click();
  await dialog().waitFor({ state: 'detached' });
  await rows().nth(1).waitFor({ state: 'detached' });
  assert.equal(await rows().count(), 1);
});

test('The only verified one is deleted only after a warning', options, async () => {
  await rows()
    .getByRole('button', { name: /^Delete/ })
    .click();
  await dialog().getByText('It is the only verified backup').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  assert.equal(await rows().count(), 1);
});
