import type { Channel } from '../../libs/core/channel.ts';
import { debian } from './debian.ts';
import { mainline } from './mainline.ts';
import { packaged } from './packaged.ts';
import { stable } from './stable.ts';

/** Every channel, the default first. */
export const channels: readonly Channel[] = [debian, packaged, stable, mainline];
