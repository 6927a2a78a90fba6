// Somebody at work on a tenant's policies, over HTTP: what is asked in few words, and what was answered.

import type { LightMyRequestResponse } from 'fastify';
import type { TestService } from '../helpers/service.js';

export interface PolicyBody {
  id: string;
  name: string | null;
  status: string;
  version: number | null;
  revision: number;
  effectiveFrom: string | null;
  backfill: boolean;
  policy: Record<string, unknown>;
  activatedBy: string | null;
  statusChanges: { status: string; at: string; by: string }[];
  createdAt: string;
}

export interface PreviewBody {
  id: string;
  policyId: string;
  policyRevision: number;
  status: string;
  failure: string | null;
  customers: number;
  moving: number;
  held: number;
  straightToChurned: number;
  moves: { from: string; to: string; customers: number; held: number }[];
  movesOmitted: number;
  events: { type: string; events: number; deliverable: number }[];
  sample: { customerId: string; from: string; to: string; held: boolean; because: object | null }[];
}

export interface PreviewPage {
  data: Omit<PreviewBody, 'moves' | 'movesOmitted' | 'events' | 'sample'>[];
  nextCursor: string | null;
}

export type Answer = LightMyRequestResponse;

export interface Desk {
  service: TestService;
  draft(policy?: object, name?: string): Promise<PolicyBody>;
  get(ref: string | number): Promise<PolicyBody>;
  list(query?: string): Promise<PolicyBody[]>;
  /** Any step: `shadow`, `unshadow`, `retire`, `activate`, `validate`, `previews`. */
  ask(ref: string | number, what: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  patch(ref: string | number, body: object, headers?: Record<string, string>): Promise<Answer>;
  remove(ref: string | number, headers?: Record<string, string>): Promise<Answer>;
  /** Made, and gone through to its end. */
  preview(ref: string | number, body?: object): Promise<PreviewBody>;
  previews(query?: string): Promise<PreviewPage>;
}

export const silent = (days: number) => ({ type: 'silence', days }) as const;
export const ordered = (atLeast: number) => ({ type: 'orders', atLeast }) as const;

/** Declining and churned after so many silent days. */
export function rulesOf(declining: number, churned: number, more: object = {}) {
  return {
    template: 'ecommerce',
    timeZone: 'UTC',
    rules: [
      { stage: 'churned', when: silent(churned) },
      { stage: 'declining', when: silent(declining) },
      { stage: 'mature', when: ordered(2) },
      { stage: 'new', when: ordered(1) },
    ],
    otherwise: 'prospect',
    ...more,
  };
}

export async function openDesk(shared: TestService, slug: string): Promise<Desk> {
  return deskOf(await shared.forTenant(slug));
}

export function deskOf(service: TestService): Desk {
  const { inject, services, clock } = service;
  const ask: Desk['ask'] = (ref, what, body, headers) => {
    const asked = body ?? (what === 'activate' || what === 'previews' ? {} : undefined);
    return inject('POST', `/v1/policies/${ref}/${what}`, { body: asked, headers });
  };
  return {
    service,
    ask,
    async draft(policy = rulesOf(30, 60), name) {
      return done(await inject('POST', '/v1/policies', { body: { policy, ...(name && { name }) } })).json();
    },
    get: async (ref) => done(await inject('GET', `/v1/policies/${ref}`)).json(),
    list: async (query = '') => done(await inject('GET', `/v1/policies?${query}`)).json().data,
    patch: (ref, body, headers) => inject('PATCH', `/v1/policies/${ref}`, { body, headers }),
    remove: (ref, headers) => inject('DELETE', `/v1/policies/${ref}`, { headers }),
    async preview(ref, body) {
      const { id } = done(await ask(ref, 'previews', body)).json();
      for (let runs = 0; runs < 100; runs++) {
        await services.policies.previewDue(clock.now());
        const seen: PreviewBody = done(await inject('GET', `/v1/policy-previews/${id}`)).json();
        if (seen.status !== 'running') return seen;
      }
      throw new Error('the preview has no end');
    },
    previews: async (query = '') => done(await inject('GET', `/v1/policy-previews?${query}`)).json(),
  };
}

export function done(answer: Answer): Answer {
  if (answer.statusCode >= 300) throw new Error(`${answer.statusCode} ${answer.body}`);
  return answer;
}

/** Status and code of a refusal. */
export function refusal(answer: Answer): [number, string] {
  return [answer.statusCode, answer.json().code];
}
