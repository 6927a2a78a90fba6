// Owns the HTTP face of tenants, which only the administrator's key opens: schemas and one call to the
// service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import {
  OpenedTenantSchema,
  TENANT_SCHEMAS,
  TenantDraftSchema,
  TenantPageSchema,
  TenantPatchSchema,
  TenantSchema,
} from './schemas.js';
import type { TenantsService } from './service.js';

const tags = ['Tenants'];
const params = closed({ id: ref(Uuid) });

export function tenantRoutes(service: TenantsService): RouteModule {
  return (app) => {
    for (const schema of TENANT_SCHEMAS) app.addSchema(schema);

    app.post(
      '/v1/tenants',
      {
        config: { scope: 'admin', secretResponse: true },
        schema: {
          operationId: 'createTenant',
          tags,
          summary: 'Open a tenant',
          description:
            'With its first API key, which has every scope and whose secret is shown in this answer only.',
          body: ref(TenantDraftSchema),
          response: responses({ 201: ref(OpenedTenantSchema) }, 409, 422),
        },
      },
      async (request, reply) => {
        const tenant = await service.open(contextOf(request, 201), request.body);
        // Not as other resources are sent: an answer with a secret must not be kept by any cache.
        return reply.code(201).header('etag', `"${tenant.version}"`).send(tenant);
      },
    );

    app.get(
      '/v1/tenants',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'listTenants',
          tags,
          summary: 'List tenants',
          description: 'Oldest first, suspended ones included.',
          querystring: closed(pageQuery),
          response: responses({ 200: ref(TenantPageSchema) }),
        },
      },
      (request) => service.list(contextOf(request), request.query),
    );

    app.get(
      '/v1/tenants/:id',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'getTenant',
          tags,
          summary: 'Show a tenant',
          params,
          response: responses({ 200: ref(TenantSchema), 304: Empty }, 404),
        },
      },
      async (request, reply) =>
        sendVersioned(request, reply, 200, await service.get(contextOf(request), request.params.id)),
    );

    app.patch(
      '/v1/tenants/:id',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'updateTenant',
          tags,
          summary: 'Rename, suspend or reactivate a tenant',
          description:
            "A suspended tenant's credentials are refused at once, by other replicas within five seconds.",
          params,
          body: ref(TenantPatchSchema),
          response: responses({ 200: ref(TenantSchema) }, 404, 412),
        },
      },
      async (request, reply) => {
        const change = { patch: request.body, expectedVersion: expectedVersion(request) };
        return sendVersioned(
          request,
          reply,
          200,
          await service.change(contextOf(request), request.params.id, change),
        );
      },
    );
  };
}
