/** nginx's own words, mildest first. */
export const severities = ['low', 'medium', 'major'] as const;
export type Severity = (typeof severities)[number];
