// What every browser test needs: a server that follows docs/rest_api.md and a page that is signed in to it.
//
// Without NTA_SERVER_URL the dashboard's own mock server is started. With it, that server is used, and one of
//   NTA_BOOTSTRAP_TOKEN            its first administrator is created through the first-run page, or
//   NTA_USERNAME, NTA_PASSWORD     an administrator that exists.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kDashboard = new URL('../../server/dashboard/', import.meta.url);
const { chromium } = createRequire(new URL('package.json', kDashboard))('playwright-core');

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
  const { startMock } = await import(new URL('mock/server.mjs', kDashboard).href);
  const mock = await startMock({ setup: true });
  return {
    url: mock.url,
    bootstrapToken: mock.bootstrapToken,
    username: 'admin',
    password: randomPassword(),
    close: mock.close,
  };
}

export async function startBrowser({ width = 1440, height = 900 } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'nta-dashboard-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport: { width, height },
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A failed request is also reported here; whether it should have failed is for the test to say.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      complaints.push(message.text());
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { page, complaints, close };
}

export async function fillFirstRun(page, server) {
  await page.getByLabel('Bootstrap token').fill(server.bootstrapToken);
  await page.getByLabel('User name').fill(server.username);
  await page.getByLabel('Password', { exact: true }).fill(server.password);
  await page.getByLabel('Password again').fill(server.password);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
}

export async function fillSignIn(page, username, password) {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

// Whatever the server needs to let us in.
export async function enter(page, server) {
  await page.goto(server.url);
  const firstRun = page.getByLabel('Bootstrap token');
  const signIn = page.getByRole('button', { name: 'Sign in' });
  await firstRun.or(signIn).first().waitFor();
  if (await firstRun.isVisible()) await fillFirstRun(page, server);
  else await fillSignIn(page, server.username, server.password);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}
