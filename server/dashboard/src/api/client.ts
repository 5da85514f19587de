import axios, { AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import type { Login, User } from './types';

export interface TokenStorage {
  get(): string | null;
  set(token: string | null): void;
}

interface Options {
  baseURL: string;
  storage: TokenStorage;
  adapter?: InternalAxiosRequestConfig['adapter'];
}

const kLogout = '/api/v1/logout';

type Retried = InternalAxiosRequestConfig & { retried?: boolean };

// Holds the tokens: the access token in memory only, the refresh token in the tab's own storage. A 401 is
// answered by one refresh, shared by all requests that wait for it, because a refresh token works once.
export class Client {
  readonly http: AxiosInstance;
  onSignedOut: () => void = () => {};
  onUser: (user: User) => void = () => {};
  private token: string | null = null;
  private refreshing: Promise<boolean> | null = null;
  private readonly bare: AxiosInstance;
  private readonly storage: TokenStorage;

  constructor({ baseURL, storage, adapter }: Options) {
    this.storage = storage;
    const common = { baseURL, timeout: 20_000, ...(adapter ? { adapter } : {}) };
    this.bare = axios.create(common);
    this.http = axios.create(common);
    this.http.interceptors.request.use((config) => {
      if (this.token) config.headers.set('Authorization', `Bearer ${this.token}`);
      return config;
    });
    this.http.interceptors.response.use(undefined, (error: unknown) => this.retryOnce(error));
  }

  get canResume(): boolean {
    return this.token !== null || this.storage.get() !== null;
  }

  async signIn(username: string, password: string): Promise<void> {
    this.accept((await this.bare.post<Login>('/api/login', { username, password })).data);
  }

  async setUp(bootstrap_token: string, username: string, password: string): Promise<void> {
    this.accept((await this.bare.post<Login>('/api/v1/setup', { bootstrap_token, username, password })).data);
  }

  async setupNeeded(): Promise<boolean> {
    return (await this.bare.get<{ needed: boolean }>('/api/v1/setup')).data.needed === true;
  }

  async signOut(): Promise<void> {
    const refresh_token = this.storage.get();
    try {
      await this.http.post(kLogout, { refresh_token });
    } finally {
      this.forget();
    }
  }

  // True when the session goes on. False ends it: the server refused the refresh token. Throws when the server
  // could not be asked; then the session is neither dead nor alive and the token is kept.
  refresh(): Promise<boolean> {
    this.refreshing ??= this.doRefresh().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async doRefresh(): Promise<boolean> {
    const refresh_token = this.storage.get();
    if (!refresh_token) {
      this.forget();
      return false;
    }
    try {
      this.accept((await this.bare.post<Login>('/api/v1/refresh', { refresh_token })).data);
      return true;
    } catch (error) {
      const status = error instanceof AxiosError ? error.response?.status : undefined;
      if (status === 400 || status === 401 || status === 403) {
        this.forget();
        return false;
      }
      throw error;
    }
  }

  private async retryOnce(error: unknown): Promise<unknown> {
    if (!(error instanceof AxiosError) || error.response?.status !== 401 || !error.config) throw error;
    const config = error.config as Retried;
    if (config.retried) throw error;
    config.retried = true;
    // Another request may have refreshed while this one was under way: then only the token is old.
    const sent = String(config.headers.get('Authorization') ?? '');
    const renewed = this.token !== null && sent !== `Bearer ${this.token}`;
    if (!renewed && !(await this.refresh())) throw error;
    // A sign-out must name the refresh token of now, not the one that the refresh has just used up.
    if (config.url === kLogout) config.data = JSON.stringify({ refresh_token: this.storage.get() });
    return this.http.request(config);
  }

  private accept(login: Login): void {
    this.token = login.token;
    this.storage.set(login.refresh_token);
    if (login.user) this.onUser(login.user);
  }

  private forget(): void {
    this.token = null;
    this.storage.set(null);
    this.onSignedOut();
  }
}

const kKey = 'nta.refresh_token';
const tabStorage: TokenStorage = {
  get: () => sessionStorage.getItem(kKey),
  set: (token) => (token ? sessionStorage.setItem(kKey, token) : sessionStorage.removeItem(kKey)),
};

export const client = new Client({ baseURL: '', storage: tabStorage });
