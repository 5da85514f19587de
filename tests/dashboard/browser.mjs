// A page in Chromium, and how it gets past the first-run and sign-in pages.
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kDashboard } from './server.mjs';

const { chromium } = createRequire(new URL('package.json', kDashboard))('playwright-core');

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
