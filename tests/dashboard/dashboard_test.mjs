// One browser, one session, one story: the tests run in order and go on where the one before ended, because a server
// allows few sign-ins a minute.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fillFirstRun, fillSignIn, startBrowser } from './browser.mjs';
import { randomPassword, startServer } from './server.mjs';

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

const at = (hash) => page.goto(`${server.url}/#/${hash}`);
const navigation = () => page.getByRole('navigation', { name: 'Main' });
const chart = () => page.locator('.time-chart svg');
const rows = () => page.locator('[data-row]');
const view = () => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const eventually = async (what, check, timeout = 15_000) => {
  const until = Date.now() + timeout;
  for (;;) {
    if (await check()) return;
    assert.ok(Date.now() < until, `did not happen in time: ${what}`);
    await page.waitForTimeout(100);
  }
};

// The range with traffic in it: a live capture has it now, a recording at its own time.
async function waitForFlows() {
  await eventually(
    'flows in the table',
    async () => {
      if ((await rows().count()) > 0) return true;
      const showAll = page.getByRole('button', { name: 'Show all of it' });
      // It goes away by itself when the first traffic comes.
      if (await showAll.isVisible()) await showAll.click({ timeout: 1000 }).catch(() => {});
      return false;
    },
    60_000,
  );
}

test('FirstRun guides to the first administrator', async (t) => {
  await page.goto(server.url);
  const token = page.getByLabel('Bootstrap token');
  await token
    .or(page.getByRole('button', { name: 'Sign in' }))
    .first()
    .waitFor();
  if (!server.bootstrapToken || !(await token.isVisible()))
    return t.skip('the server has its administrator already');
  await fillFirstRun(page, { ...server, bootstrapToken: `${server.bootstrapToken}x` });
  await page.getByRole('alert').waitFor();
  assert.equal(await token.inputValue(), `${server.bootstrapToken}x`, 'nothing typed is lost');
  await fillFirstRun(page, server);
  await navigation().waitFor();
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});

test('SignIn shows the words of the server when the password is wrong', async () => {
  await fillSignIn(page, server.username, randomPassword());
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.ok((await alert.textContent()).trim().length > 5);
  assert.equal(await page.getByLabel('User name').inputValue(), server.username);
});

test('SignIn leads to the Overview and leaves no token in address or local storage', async () => {
  await fillSignIn(page, server.username, server.password);
  await navigation().waitFor();
  assert.equal(
    await page.evaluate(() => Object.keys(localStorage).filter((key) => /token/.test(key)).length),
    0,
  );
  assert.doesNotMatch(page.url(), /token/i);
});

test('Overview answers whether everything is normal, in words', async () => {
  const headline = page.getByRole('heading', { level: 1 });
  await headline.waitFor();
  assert.match(
    await headline.textContent(),
    /^[A-Z][a-z ]+:.*(dropped|ended|recorded|cannot|failed|went|is)/,
  );
});

test('Overview chart moves: a sample is appended between two looks', async () => {
  await chart().waitFor();
  const look = () => chart().getAttribute('data-last').then(Number);
  await eventually('a first sample', async () => (await look()) > 0);
  const first = await look();
  await eventually('a later sample', async () => (await look()) > first);
});

test('Session outlives a reload without a new sign-in', async () => {
  await page.reload();
  await navigation().waitFor();
  await chart().waitFor();
});

test('Overview draws every bucket of a wide range, and says where nothing was captured', async () => {
  await at('overview?since=-15m&until=now');
  await waitForFlows();
  await at('overview?since=-6h&until=now');
  await page.locator('.panel-throughput .panel-note', { hasText: /min each/ }).waitFor();
  await eventually('an area that is seen', async () => {
    const widths = await page
      .locator('.time-chart path.area')
      .evaluateAll((paths) => paths.map((path) => path.getBBox().width));
    return widths.some((width) => width > 0.5);
  });
  // A server that has just been started has none of the hours before.
  if (process.env.NTA_SERVER_BINARY && !process.env.NTA_SERVER_URL)
    await page
      .locator('.gap-note', { hasText: /^No data before .*: the server was not capturing$/ })
      .waitFor();
});

test('Overview brush zooms everything and a double-click zooms out', async () => {
  await waitForFlows();
  const before = page.url();
  const box = await chart().boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 4 });
  await page.mouse.up();
  await eventually(
    'a fixed range in the address',
    async () => page.url() !== before && /^\d{4}-/.test(view().get('since')),
  );
  const narrow = Date.parse(view().get('until')) - Date.parse(view().get('since'));
  // Near the top: in the middle stands a button when nothing happened in that span.
  await chart().dblclick({ position: { x: box.width / 2, y: 20 } });
  await eventually(
    'a wider range',
    async () => Date.parse(view().get('until')) - Date.parse(view().get('since')) > narrow * 1.5,
  );
});

test('Overview chart is read and zoomed by keyboard', async () => {
  await chart().focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('.readout').waitFor();
  const spoken = page.locator('.time-chart [aria-live]');
  await eventually('values for a screen reader', async () => (await spoken.textContent()).length > 10);
  const before = page.url();
  await page.keyboard.press('Enter');
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await eventually('the zoom', async () => page.url() !== before);
  await page.keyboard.press('-');
});

test('Overview shows a table behind the chart', async () => {
  await page.getByRole('button', { name: 'Show Top talkers as table' }).click();
  await page.getByRole('table', { name: 'Addresses by bytes' }).waitFor();
  await page.getByRole('button', { name: 'Show Top talkers as chart' }).click();
});

test('Overview click on a talker filters the table, and alt-click excludes', async () => {
  await at('overview?since=-24h&until=now');
  await waitForFlows();
  const talker = page.locator('.panel-talkers .value').first();
  await talker.waitFor();
  const address = (await talker.textContent()).trim();
  await talker.click();
  await eventually('the pill', async () => view().get('where') === `host=${address}`);
  await eventually('only flows of that host', async () => {
    const texts = await rows().allTextContents();
    return texts.length > 0 && texts.every((text) => text.includes(address));
  });
  await page.locator('.panel-throughput .panel-note', { hasText: `of ${address}` }).waitFor();
  await page.getByRole('button', { name: 'Clear filter' }).click();
  await page
    .locator('.panel-talkers .value')
    .first()
    .click({ modifiers: ['Alt'] });
  await eventually('the excluding pill', async () => (view().get('where') ?? '').startsWith('not host='));
});

test('Overview reproduces an open flow from its link', async () => {
  await at('overview?since=-24h&until=now&order=-bytes');
  await waitForFlows();
  await page.locator('.panel-flows th[aria-sort="descending"]', { hasText: 'Bytes' }).waitFor();
  const outdated = page.locator('.panel-flows .is-outdated');
  await eventually('the answer in the new order', async () => (await outdated.count()) === 0);
  await rows()
    .first()
    .click({ position: { x: 20, y: 10 } });
  const title = page.getByRole('complementary', { name: 'Flow detail' }).getByRole('heading').first();
  const name = await title.textContent();
  await page.reload();
  await title.waitFor();
  assert.equal(await title.textContent(), name);
  await page.keyboard.press('Escape');
});

test('Filter line completes fields, shows where an error is, and keeps what was typed', async () => {
  await page.locator('main').focus();
  await page.keyboard.press('/');
  await page.keyboard.type('dpo');
  await page.getByRole('option', { name: /^dport/ }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('=443 and nonsense=1');
  await page.keyboard.press('Enter');
  await page.locator('.filter-problem').waitFor();
  await page.locator('.filter-problem mark').waitFor();
  const input = page.getByRole('combobox', { name: 'Filter' });
  assert.equal(await input.inputValue(), 'dport=443 and nonsense=1');
  await input.fill('dport=443');
  await page.keyboard.press('Enter');
  await eventually('the filter in the address', async () => view().get('where') === 'dport=443');
});

test('Explore pages, sorts by the server, opens details, and is worked by keyboard', async () => {
  await at('explore?since=-24h&until=now');
  await waitForFlows();
  await page.getByRole('button', { name: /^Bytes/ }).click();
  await eventually('the order in the address', async () => view().get('order') === '-bytes');
  await page.locator('main').focus();
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.locator('tr.is-cursor').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Flow detail' }).waitFor();
  const link = page.url();
  await page.keyboard.press('Escape');
  await eventually(
    'the detail closed',
    async () => (await page.getByRole('complementary', { name: 'Flow detail' }).count()) === 0,
  );
  assert.match(link, /flow=/, 'the open flow is part of the link');
});

test('Explore loads further pages on the way down, and saves what is shown', async () => {
  await at('explore?since=-24h&until=now');
  await waitForFlows();
  const count = async () => Number(await page.locator('table.flow-table').getAttribute('aria-rowcount'));
  const loaded = await count();
  if (/more below/.test(await page.getByRole('main').textContent())) {
    await page.locator('.table-box').evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await eventually('a further page', async () => (await count()) > loaded);
    assert.ok((await rows().count()) < 120, 'only the rows in sight are drawn');
  }
  await page.getByRole('button', { name: 'Export' }).click();
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  const lines = (await readFile(await saved.path(), 'utf8')).trimEnd().split('\r\n');
  assert.match(lines[0], /^id,first_seen,last_seen,protocol,source_address,/);
  assert.equal(lines.length - 1, await count());
});

test('Explore hides whole columns beside an open detail, and says which', async () => {
  await at('explore?since=-24h&until=now');
  await waitForFlows();
  await rows()
    .first()
    .click({ position: { x: 20, y: 10 } });
  await page.getByRole('complementary', { name: 'Flow detail' }).waitFor();
  const cut = () => page.locator('.table-box').evaluate((box) => box.scrollWidth - box.clientWidth);
  await eventually('a table that is not cut', async () => (await cut()) <= 0);
  await page.getByText('No room for: Port, Ended by').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('columnheader', { name: 'Ended by' }).waitFor();
});

test('Explore says in words when nothing matches', async () => {
  await at('explore?since=-1h&until=now&where=bytes%3E999999999999999');
  await page.getByText(/^No flows match/).waitFor();
});

test('Help lists the keys', async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: /Keys/ }).waitFor();
  await page.keyboard.press('Escape');
  await eventually('the help closed', async () => (await page.locator('dialog[open]').count()) === 0);
});

test('Overview keeps its data and says since when it is old while the API answers 503', async () => {
  await at('overview?since=-15m&until=now');
  await page.locator('.panel-talkers').waitFor();
  await eventually('the summary', async () => (await page.locator('.headline-main strong').count()) > 0);
  const unavailable = (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'the store is not available: disk full',
      }),
    });
  await page.route(/\/api\/v1\/(summary|flows|top|series|alerts)/, unavailable);
  await page
    .getByText(/disk full\. .*as of/i)
    .first()
    .waitFor();
  assert.ok((await rows().count()) > 0 || (await page.locator('.empty').count()) > 0, 'the last data stays');
  await page.unroute(/\/api\/v1\/(summary|flows|top|series|alerts)/);
  await eventually(
    'recovery by itself',
    async () => (await page.getByText(/disk full/).count()) === 0,
    30_000,
  );
});

test('Overview without any data yet shows the error and what to do', async () => {
  await page.route(/\/api\/v1\/top/, (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        title: 'Service Unavailable',
        status: 503,
        detail: 'the store is not available',
      }),
    }),
  );
  await page.reload();
  await page.locator('.problem').first().waitFor();
  assert.match(await page.locator('.problem').first().textContent(), /store is not available.*Retrying/s);
  await page.unroute(/\/api\/v1\/top/);
});

test('Alerts open with evidence that a person can read', async () => {
  await at('alerts?since=-24h&until=now');
  // The scan of the sample capture comes a minute after the server's start.
  await eventually('an alert', async () => (await rows().count()) > 0, 150_000);
  await page.locator('.row-button').last().click();
  const detail = page.getByRole('complementary', { name: 'Alert detail' });
  await detail.getByRole('heading', { name: 'Evidence' }).waitFor();
  const text = await detail.innerText();
  assert.doesNotMatch(text, /\d\.\d{4,}/, 'no number with more digits than it means');
  assert.doesNotMatch(text, /\d{4}-\d\d-\d\dT\d/, 'no time in the form of the API');
  await page.keyboard.press('Escape');
});

test('Overview chart obeys the filter', async () => {
  await at('overview?since=-24h&until=now&where=proto%3Dudp');
  await page.locator('.panel-throughput .panel-note', { hasText: 'as filtered' }).waitFor();
  await eventually('data', async () => Number(await chart().getAttribute('data-points')) > 0);
  await page.getByRole('button', { name: 'Show Throughput as table' }).click();
  const table = page.getByRole('table', { name: /^Throughput over time/ });
  const header = await table.getByRole('columnheader').allTextContents();
  const cells = await table
    .locator('tbody tr')
    .evaluateAll((trs) => trs.map((tr) => [...tr.cells].map((cell) => cell.textContent)));
  const busy = header.filter((_, i) => i > 0 && cells.some((row) => /[1-9]/.test(row[i])));
  assert.deepEqual(busy, ['udp', 'all']);
  await page.getByRole('button', { name: 'Show Throughput as chart' }).click();
});

// What the server under test knows of applications: a capture may hold none, an engine without inspection names none.
const mixPanel = () => page.locator('.panel-protocols');
const knowsApplications = async () =>
  (await page.evaluate(() => document.querySelectorAll('.panel-protocols .bar-list .value').length)) > 0;

test('Overview switches between protocols, applications and categories, and the link keeps it', async () => {
  await at('overview?since=-24h&until=now');
  for (const [label, name] of [
    ['Application', 'application'],
    ['Category', 'category'],
    ['Protocol', 'protocol'],
  ]) {
    await page.getByRole('radio', { name: label, exact: true }).click();
    await mixPanel()
      .getByRole('heading', { name: `${label} mix` })
      .waitFor();
    assert.equal(view().get('mix'), name);
    await page.locator('.panel-throughput .panel-note', { hasText: `per ${name}` }).waitFor();
  }
});

test('Overview click on an application filters by it, in the colour that it has everywhere', async (t) => {
  await at('overview?since=-24h&until=now&mix=application');
  await mixPanel().locator('.bar-list').or(mixPanel().locator('.empty')).first().waitFor();
  if (!(await knowsApplications())) return t.skip('the traffic has no application that is known');
  const first = mixPanel().locator('.bar-list li').first();
  const colour = await first
    .locator('.swatch')
    .evaluate((swatch) => getComputedStyle(swatch).backgroundColor);
  await first.locator('.value').click();
  await eventually('the pill', async () => /^app=[a-z0-9_]+$/.test(view().get('where') ?? ''));
  await eventually('a chart of that application alone', async () => {
    const fills = await page
      .locator('.time-chart path.area')
      .evaluateAll((paths) =>
        paths.filter((path) => path.getBBox().width > 0.5).map((path) => getComputedStyle(path).fill),
      );
    // Its own layer, and perhaps one of what a port only guesses.
    return fills.length > 0 && fills.length <= 2 && fills.every((fill) => fill === colour);
  });
});

test('Explore shows application and name, and a click on either becomes a pill', async (t) => {
  await at(
    'explore?since=-24h&until=now&columns=last_seen,source_address,application,category,name,tcp_state,bytes',
  );
  await waitForFlows();
  const heads = await page.getByRole('columnheader').allTextContents();
  for (const head of ['Application', 'Category', 'Name', 'TCP state'])
    assert.ok(heads.includes(head), `the column ${head} is there`);
  const value = page.locator('td .value', { has: page.locator('.swatch') }).first();
  if ((await value.count()) === 0) return t.skip('no flow in sight has an application that is known');
  await value.click();
  await eventually('the pill', async () => /^app=/.test(view().get('where') ?? ''));
  await page.getByRole('button', { name: 'Clear filter' }).click();
});

test('Explore offers applications of the server while a filter is typed', async () => {
  await page.getByRole('combobox', { name: 'Filter' }).fill('app=bitt');
  await page.getByRole('option', { name: /^bittorrent/ }).waitFor();
  await page.getByRole('combobox', { name: 'Filter' }).fill('');
});

test('Flow detail says what the flow is, how that is known, and explains its numbers', async (t) => {
  await at('explore?since=-24h&until=now&where=proto%3Dtcp&order=-bytes');
  await waitForFlows();
  await rows()
    .first()
    .click({ position: { x: 20, y: 10 } });
  const detail = page.getByRole('complementary', { name: 'Flow detail' });
  await detail.locator('.application-line').waitFor();
  assert.match(
    await detail.locator('.application-part').innerText(),
    /messages of the flow|from the port|Only the port|host name|Nothing in the traffic/,
  );
  const chart = detail.getByRole('region', { name: 'First packets' });
  if ((await chart.count()) === 0) return t.skip('the server keeps no statistics of flows');
  await chart.locator('svg[role=group]').focus();
  await page.keyboard.press('ArrowRight');
  await eventually('a packet in words', async () =>
    /(forward|reverse), \d+ B/.test(await chart.locator('[aria-live]').textContent()),
  );
  const word = detail.getByRole('button', { name: 'Sent again' });
  await word.click();
  await detail.getByRole('note').filter({ hasText: 'Retransmissions' }).waitFor();
  await page.keyboard.press('Escape');
});

test('A name that is markup, or very long, or written backwards is only ever text', async () => {
  const hostile = '<img src=x onerror="document.title=1">';
  const long = `${'label.'.repeat(160)}example`;
  const names = [hostile, long, 'gro.elpmaxe\u202emoc.knab', 'nul\u0000.example', '\ud800half.example'];
  await page.route(/\/api\/v1\/flows/, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body.flows?.forEach((flow, i) => {
      const server_name = names[i % names.length];
      Object.assign(flow, { application: 'tls', category: 'web', evidence: 'port' });
      flow.metadata = { server_name, ja4: hostile, http_path: long, destination_name: server_name };
    });
    await route.fulfill({ response, json: body });
  });
  await at('explore?since=-24h&until=now&order=-packets');
  await waitForFlows();
  await page.locator('td .hostile', { hasText: hostile }).first().waitFor();
  assert.equal(await page.locator('main img').count(), 0, 'no element came out of a name');
  for (const unseen of ['\u202e', '\u0000'])
    assert.equal(await page.locator('td .hostile', { hasText: unseen }).count(), 0);
  const cell = page.locator('td .hostile', { hasText: 'label.label.' }).first();
  const [inner, outer] = await cell.evaluate((e) => [e.scrollWidth, e.clientWidth]);
  assert.ok(inner > outer, 'a long name is cut');
  assert.equal(await cell.getAttribute('title'), long, 'and whole on hover');
  assert.ok(
    await page.locator('td .guess', { hasText: 'TLS?' }).first().isVisible(),
    'a guess looks like one',
  );
  await rows()
    .first()
    .click({ position: { x: 20, y: 10 } });
  const detail = page.getByRole('complementary', { name: 'Flow detail' });
  await detail.getByText('perhaps').waitFor();
  assert.equal(await detail.locator('img').count(), 0);
  const wide = await detail.evaluate((e) => e.scrollWidth - e.clientWidth);
  assert.ok(wide <= 0, `the panel is ${wide} px too wide`);
  await page.unroute(/\/api\/v1\/flows/);
  await page.keyboard.press('Escape');
});

test('What a port only guesses is pale over time, and told in words and in the table', async () => {
  await page.route(/\/api\/v1\/series/, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    // All of the first line, half of the second, none of the others.
    body.series.forEach((line, i) => {
      delete line.guessed;
      if (i < 2) line.guessed = line.values.map((value) => Math.floor((value ?? 0) / (i + 1)));
    });
    await route.fulfill({ response, json: body });
  });
  await at('overview?since=-24h&until=now&mix=application');
  await chart().waitFor();
  await eventually(
    'layers of guesses',
    async () => (await page.locator('.time-chart path.area-guess').count()) === 2,
  );
  assert.ok((await page.locator('.time-chart path.area:not(.area-guess)').count()) >= 2);
  await chart().focus();
  await page.keyboard.press('ArrowLeft');
  await eventually('the words', async () =>
    /a guess/.test(await page.locator('.time-chart [aria-live]').textContent()),
  );
  assert.equal(await page.locator('.readout .swatch-guess').count(), 1, 'only what is nothing but a guess');
  const panel = page.locator('.panel-throughput');
  await panel.getByRole('button', { name: 'Show Throughput as table' }).click();
  assert.equal(await panel.getByRole('columnheader', { name: /, guessed$/ }).count(), 2);
  await panel.getByRole('button', { name: 'Show Throughput as chart' }).click();
  await page.unroute(/\/api\/v1\/series/);
});

test('A host page marks applications that only ports suggest', async () => {
  await page.route(/\/api\/v1\/hosts\//, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const row = { bytes: 10, packets: 1, flows: 1 };
    body.applications = [
      { key: 'tls', ...row, guessed: row },
      { key: 'dns', ...row, guessed: { bytes: 5, packets: 0, flows: 0 } },
      { key: 'ssh', ...row, guessed: { bytes: 0, packets: 0, flows: 0 } },
    ];
    body.ports_other = { bytes: 2000, packets: 9, flows: 3 };
    await route.fulfill({ response, json: body });
  });
  await at('hosts?since=-24h&until=now');
  await waitForFlows();
  await rows().first().getByRole('link').first().click();
  const panel = page.locator('.panel-mix');
  await panel.getByText('TLS?', { exact: true }).waitFor();
  assert.equal(await panel.locator('.swatch-guess').count(), 1);
  await panel.getByText(/50\s%\sguessed/).waitFor();
  await panel.getByText('SSH', { exact: true }).waitFor();
  await page.getByText(/in 3 more flows/).waitFor();
  await page.unroute(/\/api\/v1\/hosts\//);
});

test('Hosts lead to a page about one host, with its peers, and on to the next', async () => {
  await at('hosts?since=-24h&until=now');
  await waitForFlows();
  const first = rows().first().getByRole('link').first();
  const address = (await first.textContent()).trim();
  const asked = page.waitForRequest(
    (request) =>
      /\/api\/v1\/series\?/.test(request.url()) &&
      new URL(request.url()).searchParams.get('address') === address,
  );
  await first.click();
  await page.getByRole('heading', { level: 1, name: address }).waitFor();
  assert.equal(decodeURIComponent(new URL(page.url()).hash.split('?')[0]), `#/hosts/${address}`);
  await chart().waitFor();
  // Its heading has the address; what is drawn is of it alone.
  await asked;
  await page.locator('.panel-throughput .panel-note', { hasText: /^\d+ \w+ each/ }).waitFor();
  const peer = page
    .getByRole('table', { name: `Peers of ${address}` })
    .getByRole('link')
    .first();
  const next = (await peer.textContent()).trim();
  await peer.click();
  await page.getByRole('heading', { level: 1, name: next }).waitFor();
  await page.reload();
  await page.getByRole('heading', { level: 1, name: next }).waitFor();
  await page.getByRole('link', { name: 'Its flows' }).click();
  await eventually('its flows', async () => view().get('where') === `host=${next}`);
});

test('Host page says what is wrong with an address that is none', async () => {
  await at('hosts/%3Cb%3Enobody%3C%2Fb%3E?since=-24h&until=now');
  await page.locator('.problem').first().waitFor();
  assert.equal(await page.locator('.problem').count(), 1, 'said once, not in every panel');
  assert.equal(await page.locator('main b').count(), 0);
});

test('Conversations are drawn, filter on a click, and stand in a table behind', async () => {
  await at('conversations?since=-24h&until=now');
  const nodes = page.locator('.sankey-node');
  await nodes.first().waitFor();
  const drawn = await page.locator('.sankey-band').count();
  const table = page.getByRole('table', { name: 'Conversations' });
  assert.equal(await table.locator('tbody tr').count(), drawn, 'a band for each line of the table');
  const label = await nodes.first().getAttribute('aria-label');
  const address = /Filter src=(\S+)$/.exec(label)[1];
  await nodes.first().locator('.sankey-bar').click();
  await eventually('the pill', async () => view().get('where') === `src=${address}`);
  await eventually('one who speaks', async () => {
    const left = await nodes.evaluateAll((all) => all.map((g) => g.getAttribute('aria-label')));
    return left.filter((text) => text.includes('Filter src=')).length === 1;
  });
  await page.getByRole('radio', { name: 'flows', exact: true }).click();
  await page.getByText(/of all flows/).waitFor();
});

test('Conversations say so when there are none, when they fail and when they may not be seen', async () => {
  await at('conversations?since=2001-01-01T00:00:00.000Z&until=2001-01-01T01:00:00.000Z');
  await page.getByText(/^Nobody talked to anybody/).waitFor();
  const refuse = (status, detail) =>
    page.route(/\/api\/v1\/conversations/, (route) =>
      route.fulfill({
        status,
        contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'about:blank', title: 'Refused', status, detail }),
      }),
    );
  await refuse(403, 'this needs the role operator; you are viewer');
  await at('conversations?since=-12h&until=now');
  await page.getByText(/needs the role operator/).waitFor();
  await page.unroute(/\/api\/v1\/conversations/);
  await refuse(503, 'the store is not available');
  await at('conversations?since=-11h&until=now');
  await page.getByText('The store is not available.').waitFor();
  await page.unroute(/\/api\/v1\/conversations/);
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.locator('.sankey-node').first().waitFor();
});

test('Capture state tells stage by stage what was lost', async () => {
  await page.getByRole('button', { name: 'Capture state' }).click();
  const table = page.getByRole('table', { name: /stage by stage/ });
  await table.waitFor();
  const stages = await table.getByRole('rowheader').allTextContents();
  assert.deepEqual(stages.slice(-5), ['Malformed', 'Unsupported', 'Filtered', 'Flow table', 'Store']);
  await table.getByRole('button', { name: 'Flow table' }).click();
  await table.getByRole('note').waitFor();
  await page.keyboard.press('Escape');
});

test('Theme is switched and remembered', async () => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  for (const [label, name] of [
    ['Dark', 'dark'],
    ['Light', 'light'],
    ['Dark', 'dark'],
  ]) {
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('radio', { name: label, exact: true }).click();
    await page.keyboard.press('Escape');
    assert.equal(await theme(), name);
  }
  await page.reload();
  await navigation().waitFor();
  assert.equal(await theme(), 'dark');
});

test('Users are created, refused when short of a password, and deleted by name', async () => {
  await at('users');
  await page.getByRole('button', { name: 'New user' }).click();
  const name = `eve${Math.floor(Math.random() * 1e6)}`;
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.locator('.form-problem').waitFor();
  await page.getByLabel('Password').fill(randomPassword());
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('button', { name: `Delete ${name}` }).click();
  await page
    .getByRole('dialog', { name: `Delete the user ${name}?` })
    .getByRole('button', { name: `Delete ${name}` })
    .click();
  await eventually(
    'the user gone',
    async () => (await page.locator('.user-list').textContent()).includes(name) === false,
  );
});

test('Small screens zoom a chart by touch', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await at('overview?since=-15m&until=now');
  await chart().waitFor();
  await chart().scrollIntoViewIfNeeded();
  const box = await chart().boundingBox();
  const y = box.y + box.height / 2;
  const devtools = await page.context().newCDPSession(page);
  const touch = (type, x) =>
    devtools.send('Input.dispatchTouchEvent', { type, touchPoints: x === null ? [] : [{ x, y }] });
  await touch('touchStart', box.x + 80);
  for (let x = 100; x <= 220; x += 20) await touch('touchMove', box.x + x);
  await touch('touchEnd', null);
  await eventually('the zoom', async () => /^\d{4}-/.test(view().get('since')));
  await devtools.detach();
});

test('Small screens have a bottom bar, lists for tables, and never scroll sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const known = '10.0.0.13';
  for (const name of ['overview', 'explore', 'hosts', `hosts/${known}`, 'conversations', 'alerts', 'users']) {
    await at(`${name}?since=-24h&until=now`);
    await page.waitForTimeout(600);
    const wide = await page.evaluate(() => {
      const main = document.querySelector('main');
      return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
    });
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  }
  const bar = await navigation().boundingBox();
  assert.ok(bar.y > 700, 'the rail is at the bottom');
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('Nothing was refused by the Content-Security-Policy and nothing failed in the page', () => {
  assert.deepEqual(browser.complaints, []);
});
