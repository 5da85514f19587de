// What hands and eyes rely on everywhere: choices by arrow keys, dialogs that begin where one types and keep their button
// in sight, headings that are not cut, and pages that say whose they are.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enter, fillSignIn, startBrowser } from './browser.mjs';
import { randomPassword, startServer } from './server.mjs';

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

const skip = process.env.NTA_SERVER_BINARY ? false : 'needs NTA_SERVER_BINARY';
const at = (hash) => page.goto(`${server.url}/#/${hash}`);
const button = (name) => page.getByRole('button', { name, exact: true });
const focused = () => page.evaluate(() => document.activeElement.textContent);

test('A choice of a few is one stop of the Tab key, and the arrows choose', async () => {
  await at('overview?since=-15m&until=now');
  const unit = page.getByRole('radiogroup', { name: 'Unit' });
  await unit.getByRole('radio', { name: 'bit/s' }).focus();
  await page.keyboard.press('ArrowRight');
  await unit.getByRole('radio', { name: 'packets/s', checked: true }).waitFor();
  assert.equal(await focused(), 'packets/s');
  await page.keyboard.press('ArrowRight');
  await unit.getByRole('radio', { name: 'bit/s', checked: true }).waitFor();
  assert.equal(await unit.locator('[tabindex="0"]').count(), 1);
  await page.keyboard.press('Tab');
  assert.equal(await unit.locator(':focus').count(), 0);
});

test('A dialog begins in its first field, and gives the focus back', { skip }, async () => {
  await at('users');
  await button('New user').click();
  await page.keyboard.type('night.shift');
  const name = page.getByRole('dialog').getByLabel('User name');
  assert.equal(await name.inputValue(), 'night.shift');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'New user');
});

test('A dialog that asks before it destroys leaves the focus on its cross', { skip }, async () => {
  await at('users');
  await button('Delete admin').click();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Close');
  await page.keyboard.press('Escape');
});

test('The button of a dialog longer than the screen stays in sight', { skip }, async () => {
  for (const height of [900, 600]) {
    await page.setViewportSize({ width: 1440, height });
    await at('overview');
    await at('firewall');
    await button('New rule').click();
    const submit = await button('Add to the draft').boundingBox();
    assert.ok(submit.y > 0 && submit.y + submit.height <= height, `at ${submit.y} of ${height}`);
    await page.keyboard.press('Escape');
  }
  // And so does what it complains of.
  await button('New rule').click();
  await page.getByLabel('Name').fill('a;drop');
  await button('Add to the draft').click();
  const complaint = await page.getByRole('dialog').getByRole('alert').boundingBox();
  assert.ok(complaint.y > 0 && complaint.y + complaint.height <= 600, `at ${complaint.y} of 600`);
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('Long words without a space never make a page wider than the screen', { skip }, async () => {
  const long = 'withoutaspace'.repeat(9);
  await at('rules');
  await button('New rule').click();
  await page.getByLabel('Title').fill(long);
  await button('Create').click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await at('incidents');
  await button('New incident').click();
  await page.getByLabel('What happened').fill(long);
  await button('Open incident').click();
  await page.getByRole('heading', { level: 1, name: long }).waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const hash of ['rules', 'incidents', 'incidents/inc-000001']) {
    await at(hash);
    await page.getByText(long).first().waitFor();
    const wide = await page.locator('#main').evaluate((main) => main.scrollWidth - main.clientWidth);
    assert.ok(wide <= 0, `${hash} is ${wide} px too wide`);
  }
  await at('rules');
  await button(`Delete ${long}`).click();
  const wide = await page.getByRole('dialog').evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
  assert.ok(wide <= 0, `the dialog is ${wide} px too wide`);
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('Beside the headings of the overview nothing is cut, and the mix is as high as the chart', async () => {
  await at('overview?since=-1h&until=now');
  await page.locator('.panel-ports .coverage:not(:empty)').waitFor();
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const cut = await page
      .locator('.panel-talkers .panel-note, .panel-ports .panel-note, .panel-protocols .panel-note')
      .evaluateAll((notes) =>
        notes.filter((note) => note.scrollWidth > note.clientWidth).map((n) => n.innerText),
      );
    assert.deepEqual(cut, []);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  const rows = await page
    .locator('.panel-protocols .bar-list li')
    .evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
  assert.ok(Math.max(...rows) < 30, `a row of the mix is ${Math.max(...rows)} px high`);
});

test('A page for others says which it is and who may see it', { skip }, async () => {
  await at('users');
  await button('New user').click();
  const dialog = page.getByRole('dialog');
  const password = randomPassword();
  await dialog.getByLabel('User name').fill('vera.viewer');
  await dialog.getByLabel('Password').fill(password);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^Account of/ }).click();
  await button('Sign out').click();
  await fillSignIn(page, 'vera.viewer', password);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  for (const [hash, title, role] of [
    ['users', 'Users', 'admin'],
    ['backups', 'Backups', 'admin'],
    ['audit', 'Audit', 'admin'],
    ['logs', 'Logs', 'operator'],
  ]) {
    await at(hash);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.getByRole('main').getByText(role, { exact: true }).waitFor();
  }
});
