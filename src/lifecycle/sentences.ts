// Owns the explanation as one readable sentence in each language. Does not own the figures (explain.ts) nor how
// a single condition is put (phrases.ts).

import { DAY_MS, localDay } from './calendar.js';
import type { Explanation, Move } from './explain.js';
import { LANGUAGES, type Language, phraseOf, type Text } from './phrases.js';
import { type Lifecycle, stageKind } from './stages.js';

export interface Telling {
  explanation: Explanation;
  lifecycle: Lifecycle;
  /** Dates are the days of this zone. */
  timeZone: string;
}

export function sentencesOf(telling: Telling): Text {
  const [en, zh] = LANGUAGES.map((language) => sentenceOf(telling, language));
  return { en: en ?? '', zh: zh ?? '' };
}

function sentenceOf(telling: Telling, language: Language): string {
  const parts = [standing(telling, language), outlook(telling, language), ways(telling, language)];
  return parts.filter((part) => part !== '').join(language === 'en' ? ' ' : '');
}

function standing({ explanation, lifecycle, timeZone }: Telling, language: Language): string {
  const stage = label(lifecycle, explanation.stage, language);
  const since = dateOf(explanation.since, timeZone);
  const because = reason({ explanation, lifecycle, timeZone }, language);
  return language === 'en'
    ? `${stage} since ${since}: ${because}.`
    : `自 ${since} 起处于${stage}：${because}。`;
}

function reason({ explanation, lifecycle, timeZone }: Telling, language: Language): string {
  const { hold, rules } = explanation;
  if (hold !== null) {
    const until = hold.until === null ? null : dateOf(hold.until, timeZone);
    if (language === 'en') return `moved by hand and held until ${until ?? 'the next order'}`;
    return `由人工调整，保持至${until === null ? '下一笔订单' : ` ${until}`}`;
  }
  const decider = rules.find((rule) => rule.decided);
  const names = (key: string) => ({ en: label(lifecycle, key, 'en'), zh: label(lifecycle, key, 'zh') });
  if (decider !== undefined) return phraseOf(decider.when, names)[language];
  return language === 'en' ? 'no rule holds' : '没有规则成立';
}

function outlook({ explanation, lifecycle, timeZone }: Telling, language: Language): string {
  const { next } = explanation;
  if (next === null)
    return language === 'en' ? 'Nothing changes by time alone.' : '若无新的事实，阶段不会改变。';
  const stage = label(lifecycle, next.stage, language);
  const date = dateOf(next.at, timeZone);
  return language === 'en'
    ? `Without news, ${stage} on ${date}.`
    : `若无新的事实，将于 ${date} 进入${stage}。`;
}

const FACTS: Record<Move['fact'], Text> = {
  order: { en: 'An order', zh: '下单' },
  order_of_new_category: { en: 'An order of a new category', zh: '购买新品类' },
  interaction: { en: 'An interaction', zh: '一次互动' },
};

function ways({ explanation, lifecycle }: Telling, language: Language): string {
  const isLost = ['declining', 'churned'].includes(stageKind(lifecycle, explanation.stage) ?? '');
  const clauses = explanation.moves.map(({ fact, stage }) => {
    const to = label(lifecycle, stage, language);
    const back = isLost && stageKind(lifecycle, stage) === 'active';
    if (language === 'en')
      return `${FACTS[fact].en} now would ${back ? 'bring them back to' : 'make them'} ${to}.`;
    return `现在${FACTS[fact].zh}将使其${back ? '回到' : '进入'}${to}。`;
  });
  return clauses.join(language === 'en' ? ' ' : '');
}

/** The key serves where the lifecycle no longer has the stage. */
function label(lifecycle: Lifecycle, key: string, language: Language): string {
  return lifecycle.stages.find((stage) => stage.key === key)?.labels[language] ?? key;
}

function dateOf(instant: string, timeZone: string): string {
  return new Date(localDay(Date.parse(instant), timeZone) * DAY_MS).toISOString().slice(0, 10);
}
