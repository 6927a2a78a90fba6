// Owns the policy that each template begins with. `ecommerce` has the rules that the product stands for; those
// of the other four are a beginning, meant to be edited.

import type { Condition } from './conditions.js';
import type { Policy, Rule } from './policy.js';
import type { TemplateKey } from './stages.js';

const quantile = (q: number): Condition => ({ type: 'cadenceQuantile', q });
const orders = (atLeast: number): Condition => ({ type: 'orders', atLeast });
const touched = (days: number): Condition => ({ type: 'recentInteractions', days, atLeast: 1 });
const both = (...of: Condition[]): Condition => ({ type: 'all', of });
const either = (...of: Condition[]): Condition => ({ type: 'any', of });
const broad = (days: number, categories: number): Condition =>
  both(orders(days), { type: 'categories', atLeast: categories });

function policyOf(
  template: TemplateKey,
  rules: [stage: string, when: Condition][],
  otherwise: string,
): Policy {
  return {
    template,
    timeZone: 'UTC',
    rules: rules.map(([stage, when]): Rule => ({ stage, when })),
    otherwise,
  };
}

/** What a tenant that takes the template begins with. */
export const TEMPLATE_POLICIES: Record<TemplateKey, Policy> = {
  ecommerce: policyOf(
    'ecommerce',
    [
      ['churned', quantile(0.9)],
      ['declining', quantile(0.75)],
      ['mature', either(orders(3), broad(2, 2))],
      ['new', orders(1)],
    ],
    'prospect',
  ),
  banking: policyOf(
    'banking',
    [
      ['terminated', quantile(0.95)],
      ['declining', quantile(0.8)],
      ['mature', either(orders(6), broad(4, 3))],
      ['growing', either(orders(3), broad(2, 2))],
      ['developing', orders(1)],
    ],
    'potential',
  ),
  relationship: policyOf(
    'relationship',
    [
      ['decline', quantile(0.8)],
      ['stable', orders(3)],
      ['formation', orders(1)],
    ],
    'exploration',
  ),
  acquisition: policyOf(
    'acquisition',
    [
      ['lapsed', quantile(0.9)],
      ['loyal', either(orders(6), broad(4, 3))],
      ['retain', orders(2)],
      ['convert', orders(1)],
      ['acquire', touched(90)],
    ],
    'contact',
  ),
  engagement: policyOf(
    'engagement',
    [
      ['lapsed', quantile(0.9)],
      ['deepen', broad(3, 2)],
      ['maintain', orders(2)],
      ['establish', orders(1)],
    ],
    'introduce',
  ),
};

/** What a tenant starts with unless it says otherwise. */
export const DEFAULT_POLICY: Policy = TEMPLATE_POLICIES.ecommerce;
