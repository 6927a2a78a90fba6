// Owns what the document says of the API as a whole. Does not own any route.

export const INFO = {
  title: 'Perennial',
  // The version of the API and not of the package: it changes when a client has to.
  version: '1.0.0',
  summary: 'Customer lifecycles: orders go in, exact and explained stage transitions come out.',
  description: [
    'Send customers, orders and touchpoints; every customer stands in exactly one stage of the lifecycle at any',
    'time, and each transition says when it became true, why, and by which version of the policy.',
    '',
    '- Every request carries `Authorization: Bearer …`: an API key or a JWT.',
    '- Wherever a customer or an order is named, `ext:<namespace>:<id>` serves as well as its id.',
    '- A POST with an `Idempotency-Key` can be repeated safely for 24 hours.',
    '- Faults are problem documents (RFC 9457) with a stable `code`.',
  ].join('\n'),
  contact: { name: 'The Perennial project' },
  license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
};

export const SERVERS = [
  { url: '/', description: 'This deployment, be it local or production.', 'x-internal': false },
];

/** What an operation asks for unless it says otherwise. */
export const SECURITY: { [scheme: string]: string[] }[] = [{ apiKey: [] }, { jwt: [] }];

/** In the order in which they are best read. */
export const TAGS = [
  { name: 'Customers', description: 'Who the tenant sells to, and the stage in which each of them stands.' },
  { name: 'Orders', description: 'Purchases, with their changes, cancellations and refunds.' },
  { name: 'Touchpoints', description: 'Interactions with customers.' },
  { name: 'Transitions', description: 'The ledger of moves between stages, and moves by hand.' },
  { name: 'Policies', description: 'The versioned rules that decide stages, and their calibration.' },
  { name: 'Models', description: 'What is fitted to the tenant’s orders, and what is predicted by it.' },
  { name: 'Events', description: 'The full feed of what happened.' },
  { name: 'Webhooks', description: 'Endpoints that events are delivered to, and the deliveries.' },
  { name: 'API keys', description: 'Credentials of a tenant.' },
  { name: 'Tenants', description: 'Businesses that are served apart from each other.' },
];
