// `npm run demo`: a year of a real shop's purchases, sent through the REST API in simulated time. Options: `--json`
// prints one JSON object and nothing else, `--svg=<file>` says where the picture goes.

import { accessSync, constants, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DAY_MS } from '../../src/lifecycle/calendar.js';
import type { WebhookEndpointWithSecret } from '../../src/webhooks/schemas.js';
import { createApi } from '../api-client.js';
import { type Lifetime, live } from '../lifetime.js';
import { drawStages } from './chart.js';
import { findGaps, findOutcome, type Outcome, type Report } from './outcome.js';
import { readPurchases } from './purchases.js';
import { startReceiver } from './receiver.js';
import { openScreen, type Screen, SILENT } from './screen.js';
import { startService } from './service.js';
import { churnShown, introduction, webhooksShown, weekHeading, weekRow } from './show.js';
import { CUT_MS, type Day, dateOf, OPENING_MS, POLICY, simulate } from './simulation.js';
import { tellStories } from './story.js';

const SVG_NAME = 'demo-stages.svg';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, svg: { type: 'string' } },
});

await live((lifetime) => demonstrate(lifetime, values.json ? SILENT : openScreen()));

async function demonstrate(lifetime: Lifetime, screen: Screen): Promise<void> {
  const startedAtMs = performance.now();
  lifetime.atEnd(screen.finish);
  const log = readPurchases();
  screen.say(...introduction(log), '  starting a database of its own…');
  const { signal } = lifetime;
  const [service, receiver] = await Promise.all([
    startService(lifetime, OPENING_MS),
    startReceiver(lifetime),
  ]);
  const api = createApi({ ...service, signal });
  await api.put('/v1/policies/live', { policy: POLICY, effectiveFrom: 'beginning' });
  const endpoint = await api.post<WebhookEndpointWithSecret>('/v1/webhook-endpoints', {
    url: receiver.url,
    eventTypes: ['customer.stage_changed'],
  });
  receiver.trust(endpoint.secret);
  await service.tick();
  screen.say('', ...weekHeading());
  const days = await simulate(log.purchases, {
    ...{ service, api, signal },
    webhooksReceived: () => receiver.figures.received,
    onDay: screen.progress,
    onWeek: (week) => screen.say(weekRow(week)),
  });
  screen.finish();
  const outcome = await findOutcome({ api, log, endpointId: endpoint.id, received: receiver.figures });
  const gaps = findGaps(outcome.report);
  screen.say(...webhooksShown(outcome.report, receiver.figures, gaps));
  screen.say(...(await tellStories(api, outcome.people)), ...churnShown(outcome.report.churn));
  const file = drawInto(values.svg, days, outcome);
  const report: Report = { ...outcome.report, seconds: secondsSince(startedAtMs) };
  screen.say('', `Stage counts over time: ${file}`, `Took ${report.seconds} s.`);
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (gaps.length > 0)
    throw new Error(`the partner did not hear once of every transition: ${gaps.join('; ')}`);
}

/** Answers where the picture has been written to. */
function drawInto(wanted: string | undefined, days: readonly Day[], { report }: Outcome): string {
  const firstMs = OPENING_MS + DAY_MS;
  const svg = drawStages(days, {
    title: 'Where the customers of a music shop stood, day by day',
    subtitle:
      `CDNOW, ${dateOf(firstMs)} to ${dateOf(CUT_MS)}, ${report.customers.toLocaleString('en')} customers. ` +
      'Mature at 2 purchase days, declining after 45 silent days, churned after 91.',
  });
  const file = wanted === undefined ? join(writableDir(), SVG_NAME) : resolve(wanted);
  writeFileSync(file, svg);
  return file;
}

function writableDir(): string {
  try {
    accessSync(process.cwd(), constants.W_OK);
    return process.cwd();
  } catch {
    return tmpdir();
  }
}

function secondsSince(startedAtMs: number): number {
  return Math.round((performance.now() - startedAtMs) / 100) / 10;
}
