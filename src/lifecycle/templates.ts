// Owns the lifecycles that ship with the product. Does not own what a tenant makes of its copy (policy.ts) nor
// the rules that each of them begins with (defaultPolicies.ts).

import type { Lifecycle, StageKind, TemplateKey } from './stages.js';

type Row = [key: string, en: string, zh: string, kind: StageKind];

/** Anybody may be moved anywhere, but not back to a prospect, nor from one to anything but the end. */
function lifecycleOf(rows: readonly Row[]): Lifecycle {
  const prospects = rows.filter(([, , , kind]) => kind === 'prospect').map(([key]) => key);
  const ends = rows.filter(([, , , kind]) => kind === 'churned' || kind === 'declining').map(([key]) => key);
  const lastEnd = ends.slice(-1);
  return {
    stages: rows.map(([key, en, zh, kind]) => ({ key, labels: { en, zh }, kind })),
    moves: rows.map(([from, , , kind]) => {
      const others = rows.map(([key]) => key).filter((key) => key !== from);
      const fromProspect = others.filter((key) => prospects.includes(key) || lastEnd.includes(key));
      return { from, to: kind === 'prospect' ? fromProspect : others };
    }),
    closedOnceOrdered: prospects,
  };
}

export const LIFECYCLE_TEMPLATES: Record<TemplateKey, Lifecycle> = {
  ecommerce: lifecycleOf([
    ['prospect', 'Prospect', '潜在客户期', 'prospect'],
    ['new', 'New', '新客户期', 'active'],
    ['mature', 'Mature', '成熟期', 'active'],
    ['declining', 'Declining', '退化期', 'declining'],
    ['churned', 'Churned', '流失期', 'churned'],
  ]),
  banking: lifecycleOf([
    ['potential', 'Potential', '潜在期', 'prospect'],
    ['developing', 'Developing', '开发期', 'active'],
    ['growing', 'Growing', '成长期', 'active'],
    ['mature', 'Mature', '成熟期', 'active'],
    ['declining', 'Declining', '衰退期', 'declining'],
    ['terminated', 'Terminated', '终止期', 'churned'],
  ]),
  relationship: lifecycleOf([
    ['exploration', 'Exploration', '考察期', 'prospect'],
    ['formation', 'Formation', '形成期', 'active'],
    ['stable', 'Stable', '稳定期', 'active'],
    ['decline', 'Decline', '退化期', 'declining'],
  ]),
  acquisition: lifecycleOf([
    ['contact', 'Contact', '接触', 'prospect'],
    ['acquire', 'Acquire', '获取', 'prospect'],
    ['convert', 'Convert', '转换', 'active'],
    ['retain', 'Retain', '保留', 'active'],
    ['loyal', 'Loyal', '忠诚', 'active'],
    ['lapsed', 'Lapsed', '流失', 'churned'],
  ]),
  engagement: lifecycleOf([
    ['introduce', 'Introduce', '引入', 'prospect'],
    ['establish', 'Establish', '建立', 'active'],
    ['maintain', 'Maintain', '维护', 'active'],
    ['deepen', 'Deepen', '深化', 'active'],
    ['lapsed', 'Lapsed', '流失', 'churned'],
  ]),
};
