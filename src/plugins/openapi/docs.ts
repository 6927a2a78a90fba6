// Owns the docs page: Swagger UI, served from the installed package, so that it works without a network.
// Does not own the document it shows. The package's own plugin is not used: for three files it brings a server
// of files, 25 ms to every start, and would give the document at two more addresses.

import { createReadStream } from 'node:fs';
import type { App } from '../../api/schema.js';

const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

const START = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#docs',
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
  });
};
`;

const PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Perennial API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** Nothing may be loaded from elsewhere; Swagger UI writes style attributes and draws with data URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function serveDocs(app: App): void {
  const options = { schema: { hide: true } };
  app.get('/docs', options, (_request, reply) => {
    reply
      .header('content-security-policy', POLICY)
      .header('content-type', 'text/html; charset=utf-8')
      .send(PAGE);
  });
  app.get('/docs/start.js', options, (_request, reply) => {
    reply.header('content-type', 'text/javascript; charset=utf-8').send(START);
  });
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, options, (_request, reply) => {
      // The package has no exports map, so its files can be named.
      const file = new URL(import.meta.resolve(`@fastify/swagger-ui/static/${name}`));
      reply.header('cache-control', 'public, max-age=3600').header('content-type', type);
      return reply.send(createReadStream(file));
    });
  }
}
