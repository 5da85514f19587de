// The dashboard's unit tests, for ctest: exits with 77 when server/dashboard/node_modules is missing (npm ci).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dashboard = new URL('../../server/dashboard/', import.meta.url);
if (!existsSync(new URL('node_modules/vitest', dashboard))) {
  console.log('SKIPPED: the unit tests of the dashboard lack node_modules (run npm ci in server/dashboard)');
  process.exit(77);
}
const { status, error } = spawnSync('npm', ['test', '--silent'], {
  cwd: fileURLToPath(dashboard),
  stdio: 'inherit',
});
if (error) console.error(String(error));
process.exit(status ?? 1);
