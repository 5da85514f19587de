// The page Firewall against a real server whose rules are kept in memory: nothing of this machine changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fillFirstRun, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let page;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
});
after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.close();
  }
});

const isOwn = () => Boolean(process.env.NTA_SERVER_BINARY) && !process.env.NTA_SERVER_URL;
const button = (name) => page.getByRole('button', { name, exact: true });
const rule = (id) => page.locator(`[data-rule="${id}"]`);

async function addRule(name, port) {
  await button('New rule').click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Protocol').selectOption('tcp');
  await page.getByLabel('To ports').fill(port);
  await button('Add to the draft').click();
  await rule(name).waitFor();
}

async function apply(time) {
  await button('Apply…').click();
  await page.getByRole('radio', { name: time }).click();
  await page.getByLabel('Your password').fill(server.password);
  await button('Apply').click();
  await button('Keep').waitFor();
}

test('Firewall says that there are no rules and that nothing is enforced', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.goto(server.url);
  await page.getByLabel('Bootstrap token').waitFor();
  await fillFirstRun(page, server);
  await page.getByRole('link', { name: 'Firewall' }).click();
  await page.getByText('There are no rules').waitFor();
  await page.getByText('Not enforced.').waitFor();
});

test('Firewall drafts a rule and tells what is wrong with one', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await addRule('no-telnet', '23');
  await page.getByText('+ rule no-telnet: drop in tcp to port 23').first().waitFor();
  await button('New rule').click();
  await page.getByLabel('Name').fill('a;drop');
  await button('Add to the draft').click();
  const alert = page.getByRole('dialog').getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.textContent(), /^Rule id "a;drop"/);
  assert.equal(await page.getByLabel('Name').inputValue(), 'a;drop', 'nothing typed is lost');
  await page.keyboard.press('Escape');
});

test('Firewall rehearses the draft in words', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Rehearse').click();
  const result = page.getByRole('status', { name: 'Result of the rehearsal' });
  await result.waitFor();
  assert.match(await result.textContent(), /would have been cut|no flows/);
});

test('Firewall has a field for every part of a rule', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('New rule').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('every-part');
  await dialog.getByRole('radio', { name: 'forwarded' }).click();
  await dialog.getByRole('radio', { name: 'limit' }).click();
  await dialog.getByLabel('Packets a second').fill('7');
  await dialog.getByLabel('At once').fill('3');
  await dialog.getByLabel('From', { exact: true }).fill('198.51.100.0/24');
  await dialog.getByLabel('Protocol').selectOption('udp');
  await dialog.getByLabel('From ports').fill('53');
  await dialog.getByLabel('To ports').fill('1024-2000');
  await dialog.getByLabel('Came in through').fill('eth0');
  await dialog.getByLabel('Leaves through').fill('eth1');
  await dialog.getByLabel('Connection state').fill('new');
  await dialog.getByLabel('Until').fill('2040-01-01T00:00:00Z');
  await dialog.getByLabel('Comment').fill('a reason');
  await dialog.getByLabel("Write matching packets to the kernel's log").check();
  await button('Add to the draft').click();
  await rule('every-part').waitFor();
  await button('Change every-part').click();
  assert.equal(await dialog.getByLabel('From ports').inputValue(), '53');
  assert.equal(await dialog.getByLabel('Leaves through').inputValue(), 'eth1');
  assert.equal(await dialog.getByLabel('At once').inputValue(), '3');
  assert.ok(await dialog.getByLabel("Write matching packets to the kernel's log").isChecked());
  await dialog.getByLabel('Protocol').selectOption('icmp');
  await dialog.getByLabel('From ports').fill('');
  await dialog.getByLabel('To ports').fill('');
  await dialog.getByLabel('ICMP types').fill('8, 0');
  await button('Save to the draft').click();
  await rule('every-part').getByText(/icmp/).first().waitFor();
  await button('Take out every-part').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out every-part' }).click();
  await rule('every-part').waitFor({ state: 'detached' });
});

test('Firewall keeps sets of addresses', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('New set…').click();
  await page.getByLabel('Name of the set').fill('scanners');
  await page.getByLabel('Addresses', { exact: true }).fill('203.0.113.1\n2001:db8::1');
  await button('Save the set to the draft').click();
  const set = page.locator('[data-set="scanners"]');
  await set.getByText('2 hosts').waitFor();
  await button('Change the set scanners').click();
  await button('Take @scanners out of the draft').click();
  await set.waitFor({ state: 'detached' });
});

test('Firewall says what alerts lead to, and why some never by themselves', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  const flood = page.locator('[data-policy="syn_flood"]');
  await flood.getByText(/never automatic: its sources are easily forged/).waitFor();
  assert.ok(await flood.locator('option[value="automatic"]').isDisabled());
  await page.locator('[data-policy="brute_force"] select').selectOption('automatic');
  await page.getByText(': automatic.').waitFor();
  await page.reload();
  assert.equal(await page.locator('[data-policy="brute_force"] select').inputValue(), 'automatic');
});

test('Firewall never blocks who is on the allow list', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Change the allow list…').click();
  await page.getByLabel('Addresses and networks').fill('198.51.100.0/24');
  await button('Save the allow list').click();
  await page.getByText('198.51.100.0/24').waitFor();
  await button('Block an address…').click();
  await page.getByRole('textbox', { name: 'Address' }).fill('198.51.100.7');
  await button('Block').click();
  const refused = page.getByRole('dialog').getByRole('alert');
  await refused.waitFor();
  assert.match(await refused.textContent(), /allow list/);
  await page.keyboard.press('Escape');
});

test('Firewall proposes what an alert calls for, and an alert blocks', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  const signIn = async () => {
    const answer = await page.request.post(`${server.url}/api/login`, {
      data: { username: server.username ?? 'admin', password: server.password },
    });
    return (await answer.json()).token;
  };
  const token = await signIn();
  const api = async (method, path, body) => {
    const answer = await page.request.fetch(`${server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      data: body,
    });
    return answer.status() === 204 ? null : answer.json();
  };
  // The sample is replayed in real time; its scan comes within the first minute.
  let scan;
  for (const end = Date.now() + 90_000; !scan && Date.now() < end;) {
    const { alerts } = await api('GET', '/api/v1/alerts?since=-1h');
    scan = alerts.find((alert) => alert.class === 'port_scan');
    if (!scan) await page.waitForTimeout(500);
  }
  assert.ok(scan, 'the sample holds a scan');
  const proposal = await api('POST', '/api/v1/firewall/propose', { alert_id: scan.id });
  const source = proposal.address;
  const item = page.locator(`[data-proposal="${source}"]`);
  await item.waitFor();
  await item.getByText(/Tried on the last day/).waitFor();
  await button(`Turn the block of ${source} down`).click();
  await item.waitFor({ state: 'detached' });
  await api('POST', '/api/v1/firewall/propose', { alert_id: scan.id });
  await item.waitFor();
  await button(`Accept the block of ${source}`).click();
  const block = page.locator(`[data-block="${source}"]`);
  await block.waitFor();
  assert.match(await block.textContent(), /alert /);
  await button(`Unblock ${source}`).click();
  await block.waitFor({ state: 'detached' });
  // The same from the alert itself, in one step.
  await page.goto(`${server.url}/#/alerts`);
  // In whichever words: they follow what is found.
  await page
    .getByText(new RegExp(`^${source} tried .* ports`))
    .first()
    .click();
  await button(`Block ${source}…`).click();
  await page.getByRole('radio', { name: 'What the alert is about' }).waitFor();
  await button(`Block ${source}`).click();
  await page.getByText(`Blocked ${source}, `).waitFor();
  await page.goto(`${server.url}/#/firewall`);
  assert.match(await block.textContent(), new RegExp(`alert ${scan.id}`));
  await button(`Unblock ${source}`).click();
  await block.waitFor({ state: 'detached' });
});

test('Firewall says that tables can be read only where nftables is', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Import…').click();
  await button('Read the table').click();
  const refused = page.getByRole('dialog').getByRole('alert');
  await refused.waitFor();
  assert.match(await refused.textContent(), /^Only the backend nftables/);
  await page.keyboard.press('Escape');
});

test('Firewall takes a change back before the eyes of whoever does not keep it', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await apply('10 s');
  const first = Number.parseInt(await page.locator('.countdown').textContent(), 10);
  assert.ok(first > 0 && first <= 10, `counts down from 10, shows ${first}`);
  await page.getByText('packets').first().waitFor();
  await page.getByText('Rolled back.').waitFor({ timeout: 20_000 });
  assert.match(await page.getByRole('alert').first().textContent(), /not confirmed in time/);
  // The draft is still there, and not in force.
  await rule('no-telnet').getByText('not in force').waitFor();
});

test('Firewall keeps a change that is kept', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await apply('1 min');
  await button('Keep').click();
  await page.getByText('Kept the new rules.').waitFor();
  await page.getByText('same as the rules in force').waitFor();
  await rule('no-telnet').getByText('not hit so far').waitFor();
});

test('Firewall rolls a change back by hand', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await addRule('no-ftp', '21');
  await apply('1 min');
  await button('Roll back').click();
  await rule('no-ftp').getByText('not in force').waitFor();
});

test('Firewall blocks an address for a time and lifts it', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Block an address…').click();
  await page.getByRole('textbox', { name: 'Address' }).fill('203.0.113.9');
  await page.getByRole('radio', { name: '10 min' }).click();
  await button('Block').click();
  const block = page.locator('[data-block="203.0.113.9"]');
  await block.waitFor();
  assert.match(await block.textContent(), /left/);
  await button('Unblock 203.0.113.9').click();
  await page.getByText('Nobody is blocked').waitFor();
});

test('Explore blocks the source of a flow', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.getByRole('link', { name: 'Explore' }).click();
  await page.getByRole('heading', { name: 'Flows', exact: true }).waitFor();
  // At the edge, where no value is that would be filtered by.
  await page
    .locator('[data-row]')
    .first()
    .click({ position: { x: 20, y: 10 }, timeout: 60_000 });
  await page.getByRole('complementary', { name: 'Flow detail' }).waitFor();
  const blocker = page.getByRole('button', { name: /^Block .+…$/ }).first();
  const address = /^Block (.+)…$/.exec((await blocker.textContent()).trim())[1];
  await blocker.click();
  await button(`Block ${address}`).click();
  // A protected address is refused in words; any other is blocked.
  await page
    .getByText(`Blocked ${address}, `)
    .or(page.getByRole('dialog').getByRole('alert'))
    .first()
    .waitFor();
});

test('Firewall fits a small screen', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${server.url}/#/firewall`);
  await rule('no-telnet').waitFor();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
});
