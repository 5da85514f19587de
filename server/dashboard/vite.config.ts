import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// In development the API is proxied, so that the browser sees one origin as it does in production.
const api = process.env.NTA_SERVER_URL ?? 'http://127.0.0.1:8099';

export default defineConfig({
  base: './',
  plugins: [react()],
  server: { host: '127.0.0.1', proxy: { '/api': api, '/healthz': api } },
  build: {
    outDir: 'dist',
    // The server's Content-Security-Policy is default-src 'self': nothing may be inlined as data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { environment: 'node', include: ['tests/**/*.test.ts'] },
});
