import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { Client, type TokenStorage } from '../src/api/client';
import { toProblem } from '../src/api/problem';

interface World {
  valid: string;
  refresh: string;
  refreshes: number;
  requests: string[];
  bodies: unknown[];
  refreshStatus: number | 'offline';
}

// An API in memory: one valid access token, one valid refresh token, both replaced by every refresh.
function adapterFor(world: World) {
  return async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const answer = (status: number, data: unknown): AxiosResponse => {
      const response = { data, status, statusText: '', headers: {}, config } as AxiosResponse;
      if (status >= 400) throw new AxiosError(`HTTP ${status}`, 'ERR', config, null, response);
      return response;
    };
    const body = config.data ? JSON.parse(String(config.data)) : {};
    if (config.url === '/api/v1/refresh') {
      world.refreshes += 1;
      if (world.refreshStatus === 'offline') throw new AxiosError('Network Error', 'ERR_NETWORK', config);
      if (world.refreshStatus !== 200 || body.refresh_token !== world.refresh)
        return answer(401, { detail: 'used up' });
      world.valid = `t${world.refreshes}`;
      world.refresh = `r${world.refreshes}`;
      return answer(200, { token: world.valid, refresh_token: world.refresh, expires_in: 900 });
    }
    if (config.url === '/api/login')
      return answer(200, {
        token: 't0',
        refresh_token: 'r0',
        expires_in: 900,
        user: { username: 'ada', role: 'admin' },
      });
    const authorization = String(config.headers.get('Authorization') ?? '');
    world.requests.push(authorization);
    world.bodies.push(body);
    return authorization === `Bearer ${world.valid}`
      ? answer(200, { ok: true })
      : answer(401, { detail: 'sign in' });
  };
}

function setup() {
  const world: World = {
    valid: 't0',
    refresh: 'r0',
    refreshes: 0,
    requests: [],
    bodies: [],
    refreshStatus: 200,
  };
  let stored: string | null = null;
  const storage: TokenStorage = {
    get: () => stored,
    set: (token) => {
      stored = token;
    },
  };
  const client = new Client({ baseURL: '', storage, adapter: adapterFor(world) });
  let ended = 0;
  client.onSignedOut = () => {
    ended += 1;
  };
  return { world, client, stored: () => stored, ended: () => ended };
}

describe('the client', () => {
  it('keeps the refresh token in the storage and the access token out of it', async () => {
    const { client, stored } = setup();
    await client.signIn('ada', 'a long password');
    expect(stored()).toBe('r0');
    expect((await client.http.get('/x')).data).toEqual({ ok: true });
  });
  it('refreshes once for many requests and repeats each of them', async () => {
    const { client, world } = setup();
    await client.signIn('ada', 'a long password');
    world.valid = 'expired';
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.http.get('/x')));
    expect(answers.every((a) => a.status === 200)).toBe(true);
    expect(world.refreshes).toBe(1);
  });
  it('ends the session when the refresh token is refused', async () => {
    const { client, world, stored, ended } = setup();
    await client.signIn('ada', 'a long password');
    world.valid = 'expired';
    world.refreshStatus = 401;
    await expect(client.http.get('/x')).rejects.toMatchObject({ response: { status: 401 } });
    expect(stored()).toBeNull();
    expect(ended()).toBe(1);
  });
  it('keeps the session when the server cannot be reached', async () => {
    const { client, world, stored, ended } = setup();
    await client.signIn('ada', 'a long password');
    world.valid = 'expired';
    world.refreshStatus = 'offline';
    const failure = await client.http.get('/x').catch((error: unknown) => toProblem(error));
    expect(failure).toMatchObject({ kind: 'offline' });
    expect(stored()).toBe('r0');
    expect(ended()).toBe(0);
  });
  it('does not refresh for ever', async () => {
    const { client, world } = setup();
    await client.signIn('ada', 'a long password');
    const request = client.http.get('/x');
    world.valid = 'never';
    const original = world.refresh;
    expect(original).toBe('r0');
    await request.catch(() => undefined);
    expect(world.refreshes).toBeLessThanOrEqual(1);
  });
});

describe('a problem', () => {
  const fail = (status: number, data: unknown, headers = {}) => {
    const config = { headers: {} } as InternalAxiosRequestConfig;
    return toProblem(
      new AxiosError('x', 'ERR', config, null, {
        data,
        status,
        statusText: '',
        headers,
        config,
      } as AxiosResponse),
    );
  };
  it('carries the words of the server', () => {
    expect(fail(400, { title: 'Bad Request', detail: 'where: unknown field', position: 4 })).toMatchObject({
      kind: 'invalid',
      detail: 'where: unknown field',
      position: 4,
    });
  });
  it('knows when to come back', () =>
    expect(fail(429, {}, { 'retry-after': '7' })).toMatchObject({ kind: 'limited', retryAfterSeconds: 7 }));
  it('survives an answer that is not JSON', () =>
    expect(fail(502, '<html>')).toMatchObject({ kind: 'unavailable', detail: 'The server answered 502.' }));
});

describe('signing out', () => {
  it('names the refresh token of now when the access token had run out', async () => {
    const { client, world, stored } = setup();
    await client.signIn('ada', 'a long password');
    world.valid = 'expired';
    await client.signOut();
    expect(world.bodies.at(-1)).toEqual({ refresh_token: 'r1' });
    expect(stored()).toBeNull();
  });
});
