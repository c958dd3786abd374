/** What a recipe imports as `h3forge`. */
export type { Link } from './libs/core/module.ts';
export type { Quic, RecipeProbe, Requirements, User } from './libs/core/recipe.ts';
export { type ConfigureInput, defineRecipe, type ModuleInput, type RecipeInput } from './libs/recipe/input.ts';
