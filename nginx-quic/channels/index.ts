import type { Channel } from '../../libs/core/channel.ts';
import { debian } from './debian.ts';

/** Every channel, the default first. */
export const channels: readonly Channel[] = [debian];
