// Owns one place for a process of the service: whoever has it may be killed and another started there, and
// its clock can be made to jump. Does not own when either happens.

import type { Environment } from '../../src/environment.js';
import { type Exit, type ServiceProcess, spawnService } from './process.js';

/** Longer than any lease: what a killed process had taken up is free again. */
export const JUMP_MS = 65_000;

/** The signal that nobody else listens to makes the process's clock jump, without a wait for a lease to end. */
const CLOCK = `
  const Real = Date;
  let aheadMs = 0;
  globalThis.Date = new Proxy(Real, {
    construct: (target, given, self) => Reflect.construct(target, given.length > 0 ? given : [Real.now() + aheadMs], self),
    get: (target, name) => (name === 'now' ? () => Real.now() + aheadMs : Reflect.get(target, name)),
  });
  process.on('SIGWINCH', () => { aheadMs += ${JUMP_MS}; });`;
const NODE_ARGS = ['--import', `data:text/javascript,${encodeURIComponent(CLOCK)}`];

interface Teardown {
  teardown(work: () => unknown): void;
}

export class Replica {
  readonly #lives: ServiceProcess[] = [];
  #base: string | undefined;

  constructor(
    private readonly t: Teardown,
    private readonly environment: Environment,
  ) {}

  /** Where it can be asked; undefined while it is starting or dead. */
  get base(): string | undefined {
    return this.#base;
  }

  get process(): ServiceProcess {
    const last = this.#lives.at(-1);
    if (last === undefined) throw new Error('this replica was never started');
    return last;
  }

  /** All that its processes have logged above the ordinary, to find out by. */
  get complaints(): string[] {
    return this.#lines(/"level":"(?:warn|error|fatal)"/);
  }

  /**
   * What none of them may come to: an end that nobody asked for, a 500, a customer who cannot be advanced, a job
   * that fails while the database is there. On a busy machine it may be away: a connection takes too long.
   */
  get failures(): string[] {
    return this.#lines(
      /"level":"fatal"|"level":"error"(?!.*"code":"unavailable")|"status":500|was set aside/,
    );
  }

  /** Begins a start; `ready` resolves once it can be asked, and rejects if it ends before. */
  start(): { ready: Promise<string>; exited: Promise<Exit> } {
    const started = spawnService(this.t, { environment: this.environment, nodeArgs: NODE_ARGS });
    this.#lives.push(started);
    const ready = started.url().then((base) => {
      this.#base = base;
      return base;
    });
    // Killed before it was ready, which is nobody's failure unless somebody waits for it.
    ready.catch(() => undefined);
    const exited = started.exited.then((exit) => {
      this.#base = undefined;
      return exit;
    });
    return { ready, exited };
  }

  jump(): void {
    this.process.kill('SIGWINCH');
  }

  /** Asks it to stop, as a platform does, and waits until it has. */
  stop(): Promise<Exit> {
    const { process } = this;
    process.kill('SIGTERM');
    return process.exited;
  }

  /** Standard error takes nothing but what ends a process. */
  #lines(pattern: RegExp): string[] {
    return this.#lives.flatMap(({ stdout, stderr }) => [
      ...stdout()
        .split('\n')
        .filter((line) => pattern.test(line)),
      ...stderr()
        .split('\n')
        .filter((line) => line !== ''),
    ]);
  }
}
