// Owns how a script talks to the service: HTTP with a key, as any client of it does. Does not own what is asked.

export interface Api {
  get<T>(path: string): Promise<T>;
  /** Every item of a list, page by page. */
  list<T>(path: string): Promise<T[]>;
  post<T>(path: string, body: object): Promise<T>;
  put<T>(path: string, body: object): Promise<T>;
}

interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

const PAGE_LIMIT = 200;

export function createApi({ url, key, signal }: { url: string; key: string; signal: AbortSignal }): Api {
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    // Not handed to fetch: each request would put a listener on it, and requests are short.
    signal.throwIfAborted();
    const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  async function list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    const mark = path.includes('?') ? '&' : '?';
    for (let cursor: string | null = ''; cursor !== null; ) {
      const place: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: Page<T> = await call('GET', `${path}${mark}limit=${PAGE_LIMIT}${place}`);
      items.push(...page.data);
      cursor = page.nextCursor;
    }
    return items;
  }

  return {
    get: (path) => call('GET', path),
    list,
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
  };
}
