import { defineConfig } from 'vite';
import { HEADERS, POLICY } from './headers.js';

export default defineConfig({
  // Relative addresses: the folder may be put anywhere on a server.
  base: './',
  plugins: [{ name: 'policy', transformIndexHtml: (html) => html.replace('%POLICY%', POLICY) }],
  // LiteRT.js loads its script by importScripts, which modules lack.
  worker: { format: 'iife' },
  build: { assetsInlineLimit: 0, modulePreload: false, chunkSizeWarningLimit: 200 },
  preview: { headers: HEADERS },
});
