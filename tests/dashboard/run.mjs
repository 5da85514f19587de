// Runs the dashboard's end-to-end tests and ends with one line: N passed, N failed, N skipped.
// Exits with 0, with 1 when a test failed, with 77 when what they need is missing. server.mjs says against which server.
// They need server/dashboard/node_modules (npm ci), server/dashboard/dist (npm run build) and Chromium.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const dashboard = new URL('../../server/dashboard/', import.meta.url);
const lacking = [];
try {
  createRequire(new URL('package.json', dashboard)).resolve('playwright-core');
} catch {
  lacking.push('playwright-core (run npm ci in server/dashboard)');
}
if (!process.env.NTA_SERVER_URL && !existsSync(new URL('dist/index.html', dashboard)))
  lacking.push('the built dashboard (run npm run build in server/dashboard)');
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(chromium)) lacking.push(`a browser at ${chromium} (set CHROMIUM)`);
if (lacking.length > 0) {
  console.log(`SKIPPED: the dashboard's end-to-end tests lack ${lacking.join(' and ')}`);
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(77);
}

const files = [
  'dashboard_test.mjs',
  'keyboard_test.mjs',
  'operations_test.mjs',
  'firewall_test.mjs',
  'logs_test.mjs',
  'backups_test.mjs',
  'detection_test.mjs',
  'rules_test.mjs',
  'notifications_test.mjs',
  'history_test.mjs',
  'applications_test.mjs',
].map((name) => fileURLToPath(new URL(name, import.meta.url)));
const count = { passed: 0, failed: 0, skipped: 0 };
const stream = run({ files, concurrency: 1, timeout: 540_000 });
// A file is reported like a test when it could not run as a whole; it is no test of its own otherwise.
const isFile = (data) => files.includes(data.name) || data.details?.type === 'suite';
stream.on('test:pass', (data) => {
  if (isFile(data)) return;
  if (data.skip !== undefined && data.skip !== false) count.skipped += 1;
  else count.passed += 1;
});
stream.on('test:fail', (data) => {
  count.failed += 1;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () =>
  setTimeout(() => {
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
  }, 50),
);
