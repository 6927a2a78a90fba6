// Owns the compiled timeline of each tenant: which policy and calibration decide at which instant. Compiled
// once for each pair of newest versions, and checked against them in every transaction.

import type { Executor } from '../db/executor.js';
import { type CompiledTimeline, compileTimeline } from '../lifecycle/timeline.js';
import { loadTimeline, newestVersions, type Versions } from './history-store.js';

const TENANTS_MAX = 1_000;

export interface Timelines {
  of(executor: Executor, tenantId: string): Promise<CompiledTimeline>;
  /** The same, where a statement under way brings the versions along; undefined where it finds no row. */
  prime(executor: Executor, tenantId: string, versions: Promise<Versions | undefined>): void;
}

interface Entry {
  versions: Versions;
  timeline: CompiledTimeline;
}

export function createTimelines(): Timelines {
  const compiled = new Map<string, Entry>();
  // Within a transaction the versions cannot change (it holds the tenant's gate), so they are asked for once.
  const asked = new WeakMap<Executor, Promise<CompiledTimeline>>();

  async function current(
    executor: Executor,
    tenantId: string,
    versions: Versions,
  ): Promise<CompiledTimeline> {
    const known = compiled.get(tenantId);
    if (known?.versions.policy === versions.policy && known.versions.calibration === versions.calibration) {
      return known.timeline;
    }
    const timeline = compileTimeline(await loadTimeline(executor, tenantId));
    compiled.delete(tenantId);
    compiled.set(tenantId, { versions, timeline });
    const oldest = compiled.size > TENANTS_MAX ? compiled.keys().next().value : undefined;
    if (oldest !== undefined) compiled.delete(oldest);
    return timeline;
  }

  async function ask(executor: Executor, tenantId: string, known?: Promise<Versions | undefined>) {
    return current(executor, tenantId, (await known) ?? (await newestVersions(executor, tenantId)));
  }

  return {
    of(executor, tenantId) {
      const answer = asked.get(executor) ?? ask(executor, tenantId);
      asked.set(executor, answer);
      return answer;
    },
    prime(executor, tenantId, versions) {
      // A second lock of a transaction has versions that nobody looks at; its failure is told by its rows.
      versions.catch(() => undefined);
      if (asked.has(executor)) return;
      const answer = ask(executor, tenantId, versions);
      // Who locks and then refuses never asks.
      answer.catch(() => undefined);
      asked.set(executor, answer);
    },
  };
}
