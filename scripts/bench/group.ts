// Owns what a group of measurements is: it is run by itself or with the others, and gives rows.

import type { Lifetime } from '../lifetime.js';
import type { Row } from './rows.js';

export interface Group {
  /** As `npm run bench -- <name>` has it; what stands before a colon names all that begin with it. */
  name: string;
  run(bench: Bench): Promise<Row[]>;
}

export interface Bench {
  /** Of this group: what it opens is closed before the next one starts. */
  lifetime: Lifetime;
  /** Says on stderr what is under way. */
  say(text: string): void;
  /** How often workers are killed while they deliver. */
  kills: number;
}
