// The past in the dashboard: one time range for all pages, steps and zoom, what answers rest on, files, and how it
// holds out when it lives for hours.
import assert from 'node:assert/strict';
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enter, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const kDay = 86_400_000;
const kColumns =
  'first_seen,last_seen,protocol,source_address,source_port,destination_address,destination_port,vlan,' +
  'forward_packets,forward_wire_bytes,forward_ip_bytes,forward_payload_bytes,' +
  'reverse_packets,reverse_wire_bytes,reverse_ip_bytes,reverse_payload_bytes,' +
  'forward_tcp_flags,reverse_tcp_flags,application,end_reason';

let server;
let browser;
let page;
let directory;
// Two hours of three days ago, a flow a minute.
const past = Math.floor((Date.now() - 3 * kDay) / 3_600_000) * 3_600_000;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nta-history-'));
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
    await rm(directory, { recursive: true, force: true });
  }
});

const at = (hash) => page.goto(`${server.url}/#/${hash}`);
const view = () => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const range = () => page.getByRole('button', { name: 'Time range' });
const throughput = () => page.locator('.panel-throughput');
const chart = () => throughput().locator('svg[role=group]');
const eventually = async (what, check, timeout = 15_000) => {
  const until = Date.now() + timeout;
  for (;;) {
    if (await check()) return;
    assert.ok(Date.now() < until, `did not happen in time: ${what}`);
    await page.waitForTimeout(50);
  }
};
async function saved(press) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}
async function inMenu(item) {
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByRole('dialog', { name: 'Export' }).getByRole('button', { name: item }).click();
}

test('A file of the past is imported, and what it cannot tell is said', async () => {
  const lines = Array.from({ length: 120 }, (_, minute) => {
    const time = `${past + minute * 60_000 + 1000}000000`;
    return `${time},${time},6,192.0.2.77,${40000 + minute},198.51.100.9,443,,2,1500,1400,1300,0,0,0,0,2,0,,idle_timeout`;
  });
  const file = join(directory, 'past.csv');
  await writeFile(file, [kColumns, ...lines, ''].join('\n'));
  await at('explore?since=-15m&until=now');
  await inMenu('Import…');
  const dialog = page.getByRole('dialog', { name: 'Import flows' });
  await dialog.getByLabel('File').setInputFiles(file);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog.getByText(/does not have outcome and tcp_state/).waitFor();
  await page.keyboard.press('Escape');
});

test('A link shows the same range, on every page', async () => {
  for (const name of ['overview', 'explore', 'hosts', 'conversations', 'alerts', 'hosts/192.0.2.77']) {
    await at(`${name}?since=-30d&until=now`);
    await page.getByRole('button', { name: 'Time range' }).getByText('Last 30 days').waitFor();
  }
});

test('History is drawn from totals, and says so', async () => {
  await at('overview?since=-7d&until=now&where=host%3D192.0.2.77');
  await eventually('the points', async () => Number(await chart().getAttribute('data-points')) > 100);
  assert.match(await throughput().locator('.coverage').innerText(), /rollup/);
  await at('overview?since=-7d&until=now&where=host%3D192.0.2.77+and+dport%3D443');
  await throughput().getByText('raw', { exact: true }).waitFor();
  await at('overview?since=-15m&until=now');
  await throughput().getByText('live', { exact: true }).waitFor();
});

test('A drag zooms in, the keys zoom out and step, and the present is live again', async () => {
  await at(
    `overview?since=${new Date(past - kDay).toISOString()}&until=${new Date(past + kDay).toISOString()}`,
  );
  await eventually('the chart', async () => Number(await chart().getAttribute('data-points')) > 20);
  const box = await chart().boundingBox();
  const y = box.y + 60;
  await page.mouse.move(box.x + box.width * 0.45, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
  await page.mouse.up();
  const span = () => Date.parse(view().get('until')) - Date.parse(view().get('since'));
  await eventually('the zoom', async () => span() < kDay / 2);
  const since = Date.parse(view().get('since'));
  const width = span();
  await page.keyboard.press(',');
  assert.ok(Math.abs(Date.parse(view().get('until')) - since) < 2);
  await page.keyboard.press('.');
  assert.ok(Math.abs(Date.parse(view().get('since')) - since) < 2);
  await page.mouse.move(5, 5);
  await page.locator('h1').first().click();
  await page.keyboard.press('-');
  await eventually('the wider range', async () => span() > width * 1.9);

  await at('overview?since=-1h&until=now');
  const later = page.getByRole('button', { name: 'Later' });
  assert.equal(await later.isDisabled(), true);
  await page.getByRole('button', { name: 'Earlier' }).click();
  await eventually('an hour ago', async () => view().get('until') !== 'now');
  await later.click();
  await eventually('the present', async () => view().get('until') === 'now');
  await range().getByText('Last hour').waitFor();
});

test('A mistake in the filter is shown below it, at its place', async () => {
  await at('hosts?since=-1h&until=now');
  const filter = page.getByRole('combobox', { name: 'Filter' });
  await filter.fill('host=192.0.2.77 and dprt=443');
  await filter.press('Enter');
  const problem = page.locator('.filter-problem');
  await problem.waitFor();
  assert.equal(await problem.locator('mark').innerText(), 'd');
  assert.match(await problem.innerText(), /did you mean "dport"/);
  const below = await problem.boundingBox();
  const box = await filter.boundingBox();
  assert.ok(below.y >= box.y + box.height - 2);
  await page.getByRole('button', { name: 'Clear filter' }).click();
});

test('What is shown is saved: rows, charts, and the flows behind them', async () => {
  await at(`hosts?since=-7d&until=now&where=host%3D192.0.2.77`);
  await page.locator('.host-table').waitFor();
  const hosts = await saved(() => inMenu('Save as CSV'));
  assert.equal(hosts.name, 'hosts.csv');
  assert.ok(hosts.text.includes('192.0.2.77,,180000,240,120,180000,0\r\n'), hosts.text);
  const json = JSON.parse((await saved(() => inMenu('Save as JSON'))).text);
  assert.equal(json.where, 'host=192.0.2.77');
  assert.equal(json.hosts.length, 2);

  await at(`overview?since=-7d&until=now&where=host%3D192.0.2.77`);
  await eventually('the points', async () => Number(await chart().getAttribute('data-points')) > 100);
  const series = await saved(() => page.getByRole('button', { name: 'Save Throughput as CSV' }).click());
  assert.match(series.text, /^time,tcp bit\/s,all bit\/s\r\n/);

  await at(`conversations?since=-7d&until=now&where=host%3D192.0.2.77`);
  await page.locator('.pair-table, .conversations').first().waitFor();
  await inMenu('Export all…');
  const dialog = page.getByRole('dialog', { name: 'Export flows' });
  await dialog.getByText('host=192.0.2.77').waitFor();
  const all = await saved(() => dialog.getByRole('button', { name: 'Export', exact: true }).click());
  assert.equal(all.text.trim().split('\n').length, 121);
});

test('Nothing to see is said once for hosts and pairs, with the ways out', async () => {
  for (const name of ['hosts', 'conversations', 'explore']) {
    await at(`${name}?since=-1h&until=now&where=host%3D203.0.113.200`);
    await page.getByText('203.0.113.200').last().waitFor();
    await page.getByRole('button', { name: 'Widen the range' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await eventually('no filter', async () => view().get('where') === null);
  }
});

test('Every page has one width, and the bell stays in its corner', async () => {
  const pages = 'overview,explore,hosts,alerts,rules,firewall,incidents,backups,health,settings,users'.split(
    ',',
  );
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    const seen = { bell: new Set(), narrow: new Set() };
    for (const name of pages) {
      await at(`${name}?since=-15m&until=now`);
      await page.locator('#main > *').first().waitFor();
      await page.waitForTimeout(50);
      const found = await page.evaluate(() => ({
        bell: Math.round(document.querySelector('.bell').getBoundingClientRect().right),
        right: Math.round(document.querySelector('#main > *').getBoundingClientRect().right),
        bar:
          document.querySelector('.rail-pages').scrollWidth -
          document.querySelector('.rail-pages').clientWidth,
      }));
      seen.bell.add(found.bell);
      if (found.right < width) seen.narrow.add(found.right);
      if (width === 390) assert.ok(found.bar <= 0, 'the bar does not scroll');
    }
    assert.equal(seen.bell.size, 1, [...seen.bell].join());
    assert.ok(seen.narrow.size <= 1, [...seen.narrow].join());
  }
  await page.getByRole('button', { name: 'More pages and account' }).click();
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByRole('heading', { name: 'What is kept for how long' }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('Data that arrive move nothing, on either size', async () => {
  for (const [width, height] of [
    [390, 844],
    [1440, 900],
  ]) {
    await page.setViewportSize({ width, height });
    for (const name of ['overview', 'hosts/192.0.2.77']) {
      await page.goto('about:blank');
      await at(`${name}?since=-1h&until=now`);
      await page.evaluate(() => {
        window.shifts = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await eventually('the chart', async () => (await chart().count()) > 0);
      await page.waitForTimeout(700);
      const { shifts, paint } = await page.evaluate(() => ({
        shifts: window.shifts,
        paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
      }));
      console.log(`${name} ${width}: shift ${shifts.toFixed(3)}, first paint ${Math.round(paint)} ms`);
      assert.ok(shifts < 0.1, `moved by ${shifts}`);
      assert.ok(paint > 0 && paint < 5000, `first paint after ${paint} ms`);
    }
  }
});

// The stream at its limits: an hour of seconds, then a second hour, each told as fast as the page takes them.
test('Hours of live traffic take a bounded memory, and each second little work', async () => {
  await page.addInitScript(() => {
    window.sources = [];
    window.EventSource = class extends EventTarget {
      constructor() {
        super();
        window.sources.push(this);
      }
      close() {}
    };
    const say = (name, data) =>
      window.sources.at(-1).dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
    const begin = Math.floor(Date.now() / 1000) * 1000;
    window.tell = (second) => {
      const part = { packets: 1000 + (second % 100), wire_bytes: 1_000_000 + (second % 97) * 9000 };
      say('sample', {
        time: new Date(begin - 900_000 + second * 1000).toISOString().replace('Z', '000000Z'),
        seconds: 1,
        packets: part.packets * 4,
        wire_bytes: part.wire_bytes * 4,
        dropped: 0,
        flows_active: 100,
        flows_started: 10,
        flows_ended: 10,
        protocols: { tcp: part, udp: part, icmp: part, other: part },
      });
    };
    window.hours = async (from, to) => {
      for (let second = from; second < to; ++second) {
        window.tell(second);
        if (second % 240 === 0) await new Promise(requestAnimationFrame);
      }
    };
  });
  await at('overview?since=-15m&until=now');
  await page.reload();
  await eventually('the stream', () => page.evaluate(() => window.sources.length > 0));
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const measure = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { metrics } = await devtools.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return { heap: of('JSHeapUsedSize') / 2 ** 20, work: of('TaskDuration') * 1000, nodes: of('Nodes') };
  };
  await page.evaluate(() => window.hours(0, 3600));
  const first = await measure();
  await page.evaluate(() => window.hours(3600, 7200));
  const second = await measure();
  // One update a frame.
  const kUpdates = 60;
  await page.evaluate(async (count) => {
    for (let i = 0; i < count; ++i) {
      window.tell(7200 + i);
      await new Promise(requestAnimationFrame);
    }
  }, kUpdates);
  const end = await measure();
  await devtools.detach();
  const work = (end.work - second.work) / kUpdates;
  console.log(
    `heap ${first.heap.toFixed(1)} MiB after an hour, ${second.heap.toFixed(1)} after two; ` +
      `${second.nodes} nodes; ${work.toFixed(1)} ms of the processor a second of traffic`,
  );
  assert.ok(second.heap < 64, `${second.heap} MiB`);
  assert.ok(second.heap - first.heap < 4, `grew by ${second.heap - first.heap} MiB in the second hour`);
  assert.ok(work < 50, `${work} ms an update`);
});

test('Nothing was refused by the Content-Security-Policy and nothing failed in the page', () => {
  assert.deepEqual(browser.complaints, []);
});
