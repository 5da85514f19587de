// The server that the tests talk to; it follows docs/rest_api.md. In this order:
//   NTA_SERVER_URL      one that runs, with NTA_BOOTSTRAP_TOKEN (its first administrator is created through the first-run
//                       page) or NTA_USERNAME and NTA_PASSWORD (an administrator that exists)
//   NTA_SERVER_BINARY   an nta-server that is started here over the capture NTA_SAMPLE, and stopped in the end
//   neither             the dashboard's own mock server
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const kDashboard = new URL('../../server/dashboard/', import.meta.url);
export const kSample = fileURLToPath(new URL('../data/sample.pcap', import.meta.url));
const kStartMs = 60_000;
const kStopMs = 20_000;

export const randomPassword = () => randomBytes(18).toString('base64url');

export async function startServer() {
  const env = process.env;
  if (env.NTA_SERVER_URL) {
    return {
      url: env.NTA_SERVER_URL.replace(/\/$/, ''),
      bootstrapToken: env.NTA_BOOTSTRAP_TOKEN ?? null,
      username: env.NTA_USERNAME ?? 'admin',
      password: env.NTA_PASSWORD ?? randomPassword(),
      close: async () => {},
    };
  }
  const started = env.NTA_SERVER_BINARY
    ? await startReal(env.NTA_SERVER_BINARY, env.NTA_SAMPLE ?? kSample)
    : await startMock();
  return { username: 'admin', password: randomPassword(), ...started };
}

async function startMock() {
  const mock = await (await import(new URL('mock/server.mjs', kDashboard).href)).startMock({ setup: true });
  return { url: mock.url, bootstrapToken: mock.bootstrapToken, close: mock.close };
}

// What nta-server says on standard output, line by line, until it listens.
function announcement(child, said) {
  return new Promise((resolve, reject) => {
    const found = {};
    const timer = setTimeout(() => reject(new Error('nta-server does not listen')), kStartMs);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`nta-server ended (${code ?? signal}): ${said.join('\n')}`)),
    );
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (said.length > 400) said.splice(0, 200);
        found.token ??= /^bootstrap token: (\S+)$/.exec(line)?.[1];
        found.url ??= /listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (found.url) {
          clearTimeout(timer);
          resolve({ url: found.url, bootstrapToken: found.token ?? null });
        }
      });
    }
  });
}

async function startReal(binary, sample) {
  const directory = await mkdtemp(join(tmpdir(), 'nta-dashboard-server-'));
  const said = [];
  const child = spawn(
    binary,
    [
      ['--listen', '127.0.0.1:0'],
      ['--data-dir', join(directory, 'data')],
      ['--pcap', sample],
      ['--dashboard', fileURLToPath(new URL('dist', kDashboard))],
      // One person who does everything at once: the tests must not run into what protects the server from many.
      ['--requests-per-second', '200'],
      ['--sign-ins-per-minute', '100'],
      // Whatever the tests press, this machine's own firewall stays as it is.
      ['--firewall', 'memory'],
    ].flat(),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  // Should this program end without close(), the server must not outlive it.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, kStopMs);
    const status = await exited;
    clearTimeout(timer);
    process.off('exit', kill);
    await rm(directory, { recursive: true, force: true });
    if (status !== 0) throw new Error(`nta-server ended with ${status}:\n${said.join('\n')}`);
  };
  try {
    return { ...(await announcement(child, said)), close, directory };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}
