// Owns the load of many connections, and the fair comparison of two servers under it. Does not own what is asked.

import autocannon from 'autocannon';
import type { Compared } from './rows.js';
import { median } from './statistics.js';

export const CONNECTIONS = 32;
const WARM_UP_S = 5;
const ROUND_S = 2;
const ROUNDS = 6;

export type Requests = readonly autocannon.Request[];

export interface Target {
  url: string;
  headers?: Record<string, string>;
  /** What a connection asks for, over and over; `connection` counts from 0. */
  requests: (connection: number) => Requests;
}

/** Requests a second. Throws on the first answer that is not a success: an error is quickly made. */
export async function press(
  target: Target,
  { connections = CONNECTIONS, durationS = ROUND_S } = {},
): Promise<number> {
  let connection = 0;
  const result = await autocannon({
    url: target.url,
    connections,
    duration: durationS,
    headers: target.headers,
    setupClient: (client) => {
      client.setRequests([...target.requests(connection)]);
      connection += 1;
    },
  });
  const failures = { errors: result.errors, timeouts: result.timeouts, non2xx: result.non2xx };
  const failed = Object.values(failures).some((count) => count > 0);
  if (failed || result['2xx'] === 0)
    throw new Error(`${target.url} failed under load: ${JSON.stringify(failures)}`);
  return result['2xx'] / result.duration;
}

/**
 * Both servers in turn, the first of one round last in the next, so that a machine that grows slower or faster
 * meanwhile does it to both. The ratio is the median of the rounds' own.
 */
export async function compare(service: Target, ceiling: Target): Promise<Compared> {
  await press(service, { durationS: WARM_UP_S });
  await press(ceiling, { durationS: WARM_UP_S });
  const rounds: { value: number; ceiling: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const isFirst = round % 2 === 0;
    const before = await press(isFirst ? service : ceiling);
    const after = await press(isFirst ? ceiling : service);
    rounds.push(isFirst ? { value: before, ceiling: after } : { value: after, ceiling: before });
  }
  return {
    value: median(rounds.map((round) => round.value)),
    ceiling: median(rounds.map((round) => round.ceiling)),
    ratio: median(rounds.map((round) => round.value / round.ceiling)),
  };
}
