// Owns how one condition is put into words, in English and Chinese: what was found, against what was asked.
// Does not own the sentence around it (sentences.ts).

import type { ConditionType } from './conditions.js';
import type { ConditionExplanation } from './explain.js';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Text = Record<Language, string>;

/** What a stage is called. */
export type StageNames = (key: string) => Text;

type Phrase = (condition: ConditionExplanation, names: StageNames) => Text;

/** Of a condition that holds what makes it so, of one that does not what stands against it. */
export function phraseOf(condition: ConditionExplanation, names: StageNames): Text {
  return PHRASES[condition.type](condition, names);
}

const PHRASES: Record<ConditionType, Phrase> = {
  orders: (c) => atLeast(c, { one: 'purchase day', en: 'purchase days', zh: '个购买日' }),
  categories: (c) => atLeast(c, { one: 'product category', en: 'product categories', zh: '个品类' }),
  spend: (c) => ({
    en: `${money(c.value, c.currency)} spent, ${c.holds ? 'at least' : 'less than'} ${money(c.threshold, c.currency)}`,
    zh: `累计消费 ${moneyZh(c.value, c.currency)}，${c.holds ? '达到' : '未达到'} ${moneyZh(c.threshold, c.currency)}`,
  }),
  silence: (c) => silent(c, { en: days(c.threshold), zh: ` ${figure(c.threshold)} 天` }),
  interactionSilence: (c) => {
    if (c.value == null) return { en: 'no interaction yet', zh: '尚无互动' };
    return {
      en: `${days(c.value)} since the last interaction, ${c.holds ? 'at least' : 'less than'} ${figure(c.threshold)}`,
      zh: `距上次互动 ${figure(c.value)} 天，${c.holds ? '已满' : '未满'} ${figure(c.threshold)} 天`,
    };
  },
  cadenceQuantile: (c) =>
    silent(c, {
      en: `${percent(c.q)} of the gaps that ended for customers with this history (${days(c.threshold)})`,
      zh: `同类购买历史的客户中 ${percent(c.q)} 的间隔（${figure(c.threshold)} 天）`,
    }),
  cadenceMultiple: (c) =>
    silent(c, {
      en: `${figure(c.multiple)} times their mean gap (${days(c.threshold)})`,
      zh: `其平均购买间隔的 ${figure(c.multiple)} 倍（${figure(c.threshold)} 天）`,
    }),
  recentOrders: (c) => recent(c, { one: 'purchase day', en: 'purchase days', zh: ' 个购买日' }),
  recentSpend: (c) => {
    const what = { one: `minor unit of ${c.currency} spent`, en: `minor units of ${c.currency} spent` };
    return recent(c, { ...what, zh: `（${c.currency} 最小单位）消费` });
  },
  recentInteractions: (c) => recent(c, { one: 'interaction', en: 'interactions', zh: ' 次互动' }),
  drop: (c) => {
    const what = MEASURES[c.measure ?? ''] ?? { en: String(c.measure), zh: String(c.measure) };
    if (c.value == null)
      return { en: `too short a history to compare ${what.en}`, zh: `历史过短，无法比较${what.zh}` };
    const of = c.currency === undefined ? '' : ` (${c.currency})`;
    return {
      en: `${figure(c.value)} ${what.en}${of} in ${days(c.days)}, ${c.holds ? 'below' : 'not below'} the ${figure(c.threshold)} that their earlier rate allows`,
      zh: `近 ${figure(c.days)} 天${what.zh}${of}为 ${figure(c.value)}，${c.holds ? '低于' : '不低于'}按其以往水平的 ${figure(c.threshold)}`,
    };
  },
  orderProbability: (c) =>
    probability(c, {
      en: `of an order within ${days(c.withinDays)}`,
      zh: `${figure(c.withinDays)} 天内下单的概率`,
    }),
  aliveProbability: (c) => probability(c, { en: 'of still being a customer', zh: '仍为活跃客户的概率' }),
  satisfaction: (c) => {
    const scale = c.scale?.toUpperCase();
    if (c.value == null) return { en: `no ${scale} answer`, zh: `没有 ${scale} 评分` };
    const [age, ageZh] =
      c.withinDays === undefined
        ? ['', '']
        : [`, no older than ${days(c.withinDays)}`, `，且不早于 ${figure(c.withinDays)} 天前`];
    return {
      en: `the last ${scale} answer is ${figure(c.value)}, which ${c.holds ? 'meets' : 'does not meet'} what is asked (${figure(c.threshold)}${age})`,
      zh: `最近一次 ${scale} 评分为 ${figure(c.value)}，${c.holds ? '符合' : '不符合'}要求（${figure(c.threshold)}${ageZh}）`,
    };
  },
  daysInStage: (c, names) => {
    const stage = names(c.stage ?? '');
    return {
      en: `${days(c.value ?? 0)} in ${stage.en}, ${c.holds ? 'at least' : 'less than'} ${figure(c.threshold)}`,
      zh: `在${stage.zh} ${figure(c.value ?? 0)} 天，${c.holds ? '已满' : '未满'} ${figure(c.threshold)} 天`,
    };
  },
  tag: (c) => {
    const name = c.field?.replace(/^tag:/, '');
    return c.holds
      ? { en: `has the tag ${name}`, zh: `带有标签“${name}”` }
      : { en: `does not have the tag ${name}`, zh: `没有标签“${name}”` };
  },
  channel: profile,
  country: profile,
  attribute: profile,
  all: (c, names) => joined(c, true, names),
  any: (c, names) => joined(c, false, names),
  not: (c, names) => (c.of?.[0] === undefined ? { en: '', zh: '' } : phraseOf(c.of[0], names)),
};

const MEASURES: Record<string, Text> = {
  orders: { en: 'purchase days', zh: '购买日数' },
  spend: { en: 'minor units spent', zh: '消费额（最小单位）' },
  interactions: { en: 'interactions', zh: '互动次数' },
};

const FIELDS: Record<string, Text> = {
  channel: { en: 'channel', zh: '渠道' },
  country: { en: 'country', zh: '国家' },
};

/** Those that settle it: of `all` that holds and `any` that does not every part, else the parts that decide. */
function joined(condition: ConditionExplanation, every: boolean, names: StageNames): Text {
  const parts = condition.of ?? [];
  const telling = every === condition.holds ? parts : parts.filter((part) => part.holds === condition.holds);
  const texts = telling.map((part) => grouped(part, phraseOf(part, names), telling.length));
  return { en: texts.map((text) => text.en).join(' and '), zh: texts.map((text) => text.zh).join('，且') };
}

/** A compound within a compound is one thing among others. */
function grouped({ of }: ConditionExplanation, text: Text, among: number): Text {
  if (of === undefined || of.length < 2 || among < 2) return text;
  return { en: `(${text.en})`, zh: `（${text.zh}）` };
}

interface Noun extends Text {
  /** One of them, in English. */
  one: string;
}

function atLeast({ value, threshold, holds }: ConditionExplanation, what: Noun): Text {
  return {
    en: `${figure(value)} ${value === 1 ? what.one : what.en}, ${holds ? 'at least' : 'fewer than'} ${figure(threshold)}`,
    zh: `${figure(value)} ${what.zh}，${holds ? '达到' : '未达到'} ${figure(threshold)}`,
  };
}

function silent({ value, holds }: ConditionExplanation, than: Text): Text {
  if (value == null) return { en: 'no order yet', zh: '尚未下单' };
  return {
    en: `${days(value)} without an order, ${holds ? 'no less than' : 'less than'} ${than.en}`,
    zh: `已 ${figure(value)} 天未下单，${holds ? '达到' : '未达到'}${than.zh}`,
  };
}

/** The condition asks for at least or for less than its threshold; the figures say which side they are on. */
function recent({ value, threshold, days: window }: ConditionExplanation, what: Noun): Text {
  const isEnough = (value ?? 0) >= (threshold ?? 0);
  return {
    en: `${figure(value)} ${value === 1 ? what.one : what.en} in the last ${days(window)}, ${isEnough ? 'at least' : 'less than'} ${figure(threshold)}`,
    zh: `近 ${figure(window)} 天 ${figure(value)}${what.zh}，${isEnough ? '达到' : '未达到'} ${figure(threshold)}`,
  };
}

function probability({ value, threshold, holds }: ConditionExplanation, of: Text): Text {
  if (value == null) return { en: `no probability ${of.en} is known`, zh: `${of.zh}未知` };
  return {
    en: `the probability ${of.en} is ${percent(value)}, ${holds ? 'not above' : 'above'} ${percent(threshold)}`,
    zh: `${of.zh}为 ${percent(value)}，${holds ? '不高于' : '高于'} ${percent(threshold)}`,
  };
}

function profile({ field = '', found, wanted, holds }: ConditionExplanation): Text {
  const own = field.replace(/^attributes\./, '');
  const name = FIELDS[field] ?? { en: own, zh: own };
  const asked = askedFor(wanted);
  return {
    en: `${name.en} is ${spelt(found)}, which ${holds ? 'is' : 'is not'} what is asked (${asked.en})`,
    zh: `${name.zh}为 ${spelt(found)}，${holds ? '符合' : '不符合'}要求（${asked.zh}）`,
  };
}

function askedFor(wanted: unknown): Text {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) {
    return { en: spelt(wanted), zh: spelt(wanted) };
  }
  const { exists, atLeast: least, atMost: most } = wanted as Record<string, unknown>;
  if (exists !== undefined) return exists ? { en: 'any value', zh: '有值' } : { en: 'no value', zh: '无值' };
  const bounds = [least === undefined ? [] : [`≥ ${least}`], most === undefined ? [] : [`≤ ${most}`]].flat();
  return { en: bounds.join(', '), zh: bounds.join('，') };
}

function spelt(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function money(amount: number | null | undefined, currency: string | undefined): string {
  return `${amount ?? 0} minor units of ${currency}`;
}

function moneyZh(amount: number | null | undefined, currency: string | undefined): string {
  return `${amount ?? 0}（${currency} 最小单位）`;
}

function days(value: number | null | undefined): string {
  return `${figure(value)} ${value === 1 ? 'day' : 'days'}`;
}

/** Two decimals are what a reader takes in; the structured form has all of them. */
function figure(value: number | null | undefined): string {
  return value == null ? '–' : String(Math.round(value * 100) / 100);
}

function percent(value: number | null | undefined): string {
  return value == null ? '–' : `${Math.round(value * 1_000) / 10} %`;
}
