// Owns the form in which a tally is put aside: mostly zeros, so deflated. Both by way of threads of Node's own.

import { promisify } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { deflate, inflate } from 'node:zlib';
import type { Tally } from '../lifecycle/backtest/tally.js';

const deflated = promisify(deflate) as (bytes: Buffer, options: { level: number }) => Promise<Buffer>;
const inflated = promisify(inflate) as (bytes: Buffer) => Promise<Buffer>;

export function pack(tally: Tally): Promise<Buffer> {
  return deflated(serialize(tally), { level: 1 });
}

export async function unpack(bytes: Buffer): Promise<Tally> {
  return deserialize(await inflated(bytes));
}
