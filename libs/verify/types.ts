/** The versions that are probed, as an access log writes them; `HTTP/2` and `HTTP/3` stand for `HTTP/2.0` and `HTTP/3.0`. */
export type HttpVersion = 'HTTP/1.1' | 'HTTP/2' | 'HTTP/3';

export interface Request {
  readonly version: HttpVersion;
  /** Begins with `/`. */
  readonly path: string;
  /** GET unless told. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a client saw: an answer, or why there was none. */
export type Response =
  | {
      readonly status: number;
      readonly version: string;
      /** By lower-case name; a repeated header has several values. */
      readonly headers: Readonly<Record<string, readonly string[]>>;
      readonly body: string;
    }
  | { readonly error: string };

/** What there was an answer with. */
export type Answer = Exclude<Response, { error: string }>;

/** One thing that is proven: a question, and the pure judgement of its answer. */
export interface Probe {
  /** Unique and stable: `ping HTTP/3`. */
  readonly name: string;
  readonly request: Request;
  /** Undefined when the answer is as it must be, else what is wrong with it. Only called when there was an answer, over the version asked. */
  readonly judge: (answer: Answer) => string | undefined;
  /** What is said of an answer that is right. */
  readonly detail: (answer: Answer) => string;
}

/** The verdict on one probe. */
export interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}
