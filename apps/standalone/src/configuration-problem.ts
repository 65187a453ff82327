/** The environment is wrong; the message is what the program that read it has to say, a line per problem. */
export class ConfigurationProblem extends Error {
  override name = 'ConfigurationProblem';
}
