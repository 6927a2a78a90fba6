// Owns the compiled timeline of each tenant: which policy and calibration decide at which instant. Compiled
// once for each pair of newest versions, and checked against them in every transaction.

import type { Executor } from '../db/executor.js';
import { type CompiledTimeline, compileTimeline } from '../lifecycle/timeline.js';
import { loadTimeline, newestVersions, type Versions } from './history-store.js';

const TENANTS_MAX = 1_000;

export interface Timelines {
  of(executor: Executor, tenantId: string): Promise<CompiledTimeline>;
  /** Whether the tenant has a policy in shadow; it comes along with the versions. */
  isShadowed(executor: Executor, tenantId: string): Promise<boolean>;
  /** The same, where a statement under way brings the versions along; undefined where it finds no row. */
  prime(executor: Executor, tenantId: string, versions: Promise<Versions | undefined>): void;
}

interface Entry {
  versions: Versions;
  timeline: CompiledTimeline;
}

interface Known {
  timeline: CompiledTimeline;
  isShadowed: boolean;
}

export function createTimelines(): Timelines {
  const compiled = new Map<string, Entry>();
  // Within a transaction the versions cannot change (it holds the tenant's gate), so they are asked for once.
  const asked = new WeakMap<Executor, Promise<Known>>();

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

  async function ask(
    executor: Executor,
    tenantId: string,
    known?: Promise<Versions | undefined>,
  ): Promise<Known> {
    const versions = (await known) ?? (await newestVersions(executor, tenantId));
    return { timeline: await current(executor, tenantId, versions), isShadowed: versions.isShadowed };
  }

  function answer(executor: Executor, tenantId: string): Promise<Known> {
    const known = asked.get(executor) ?? ask(executor, tenantId);
    asked.set(executor, known);
    return known;
  }

  return {
    of: async (executor, tenantId) => (await answer(executor, tenantId)).timeline,
    isShadowed: async (executor, tenantId) => (await answer(executor, tenantId)).isShadowed,
    prime(executor, tenantId, versions) {
      // A second lock of a transaction has versions that nobody looks at; its failure is told by its rows.
      versions.catch(() => undefined);
      if (asked.has(executor)) return;
      const known = ask(executor, tenantId, versions);
      // Who locks and then refuses never asks.
      known.catch(() => undefined);
      asked.set(executor, known);
    },
  };
}
