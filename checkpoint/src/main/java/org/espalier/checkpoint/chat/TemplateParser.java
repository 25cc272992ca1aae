package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses a template: text, values, loops, conditions, variables and macros. */
final class TemplateParser {
    private final TokenReader tokens;
    private final ExpressionParser expressions;

    private TemplateParser(List<Token> tokens) {
        this.tokens = new TokenReader(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    static Statement parse(String template) {
        TemplateParser parser = new TemplateParser(TemplateLexer.tokens(template));
        Statement whole = parser.block(Set.of());
        if (parser.tokens.peek().kind() != Token.Kind.END) {
            throw parser.tokens.wrong("the end");
        }
        return whole;
    }

    /** Statements up to a tag with one of these names, which is left to be read from its name on. */
    private Statement block(Set<String> ends) {
        tokens.enter();
        List<Statement> parts = new ArrayList<>();
        while (tokens.peek().kind() != Token.Kind.END) {
            Token token = tokens.next();
            switch (token.kind()) {
                case DATA -> parts.add((rendering, _) -> written(rendering, token.text()));
                case OPEN_VALUE -> {
                    Expression value = expressions.expression();
                    tokens.close();
                    parts.add((rendering, scope) ->
                            written(rendering, Values.string(value.value(rendering, scope))));
                }
                default -> {
                    if (ends.contains(tokens.peek().text())) {
                        tokens.leave();
                        return sequence(parts);
                    }
                    parts.add(statement(tokens.name()));
                }
            }
        }
        if (!ends.isEmpty()) {
            throw new TemplateRefusal(
                    "a tag is not closed: " + String.join(" or ", ends.stream().sorted().toList()));
        }
        tokens.leave();
        return sequence(parts);
    }

    private static Statement.Next written(Rendering rendering, String text) {
        rendering.write(text);
        return Statement.Next.GO_ON;
    }

    private static Statement sequence(List<Statement> parts) {
        List<Statement> fixed = List.copyOf(parts);
        return (rendering, scope) -> {
            for (Statement part : fixed) {
                rendering.step();
                Statement.Next next = part.run(rendering, scope);
                if (next != Statement.Next.GO_ON) {
                    return next;
                }
            }
            return Statement.Next.GO_ON;
        };
    }

    private Statement statement(String name) {
        return switch (name) {
            case "if" -> condition();
            case "for" -> loop();
            case "set" -> assignment();
            case "macro" -> macro();
            case "generation" -> {
                tokens.close();
                Statement body = block(Set.of("endgeneration"));
                end();
                yield body;
            }
            case "break" -> {
                tokens.close();
                yield (_, _) -> Statement.Next.BREAK;
            }
            case "continue" -> {
                tokens.close();
                yield (_, _) -> Statement.Next.CONTINUE;
            }
            default ->
                    throw new TemplateRefusal(
                            "it has the tag '" + name + "', which is not known here");
        };
    }

    /** The name and end of a closing tag. */
    private void end() {
        tokens.name();
        tokens.close();
    }

    /** After {@code if} or {@code elif}. */
    private Statement condition() {
        Expression condition = expressions.expression();
        tokens.close();
        Statement yes = block(Set.of("elif", "else", "endif"));
        String next = tokens.name();
        Statement no;
        if (next.equals("elif")) {
            tokens.enter();
            no = condition();
            tokens.leave();
        } else if (next.equals("else")) {
            tokens.close();
            no = block(Set.of("endif"));
            end();
        } else {
            tokens.close();
            no = (_, _) -> Statement.Next.GO_ON;
        }
        return (rendering, scope) ->
                (Values.isTrue(condition.value(rendering, scope)) ? yes : no).run(rendering, scope);
    }

    private Statement loop() {
        List<String> names = names();
        tokens.name("in");
        Expression over = expressions.or();
        Expression filter = tokens.takeName("if") ? expressions.expression() : null;
        tokens.close();
        Statement body = block(Set.of("else", "endfor"));
        Statement none = (_, _) -> Statement.Next.GO_ON;
        if (tokens.peek().isName("else")) {
            end();
            none = block(Set.of("endfor"));
        }
        end();
        return new Loop(names, over, filter, body, none);
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        boolean parenthesis = tokens.takeOperator("(");
        do {
            names.add(tokens.name());
        } while (tokens.takeOperator(","));
        if (parenthesis) {
            tokens.operator(")");
        }
        return names;
    }

    private Statement assignment() {
        List<String> names = names();
        String attribute = tokens.takeOperator(".") ? tokens.name() : null;
        if (!tokens.takeOperator("=")) {
            tokens.close();
            Statement body = block(Set.of("endset"));
            end();
            return (rendering, scope) -> {
                int mark = rendering.mark();
                body.run(rendering, new Scope(scope));
                scope.set(names.getFirst(), rendering.takeFrom(mark));
                return Statement.Next.GO_ON;
            };
        }
        Expression first = expressions.expression();
        List<Expression> all = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",")) {
            all.add(expressions.expression());
        }
        tokens.close();
        return (rendering, scope) -> {
            Object value = first.value(rendering, scope);
            if (all.size() > 1) {
                List<@Nullable Object> values = new ArrayList<>();
                all.forEach(each -> values.add(each.value(rendering, scope)));
                value = values;
            }
            if (attribute == null) {
                assign(scope, names, value);
            } else if (scope.get(names.getFirst()) instanceof Namespace namespace) {
                namespace.put(attribute, value);
            } else {
                throw new TemplateRefusal("it sets a part of what is no namespace");
            }
            return Statement.Next.GO_ON;
        };
    }

    static void assign(Scope scope, List<String> names, @Nullable Object value) {
        if (names.size() == 1) {
            scope.set(names.getFirst(), value);
            return;
        }
        List<@Nullable Object> parts = Values.elements(value);
        if (parts.size() != names.size()) {
            throw new TemplateRefusal(
                    "it gives " + parts.size() + " values to " + names.size() + " names");
        }
        for (int i = 0; i < names.size(); i++) {
            scope.set(names.get(i), parts.get(i));
        }
    }

    private Statement macro() {
        String name = tokens.name();
        tokens.operator("(");
        Map<String, Expression> parameters = new LinkedHashMap<>();
        while (!tokens.takeOperator(")")) {
            String parameter = tokens.name();
            parameters.put(
                    parameter,
                    tokens.takeOperator("=")
                            ? expressions.expression()
                            : (_, _) -> Values.UNDEFINED);
            if (!tokens.peek().isOperator(")")) {
                tokens.operator(",");
            }
        }
        tokens.close();
        Statement body = block(Set.of("endmacro"));
        end();
        return (_, scope) -> {
            Callable macro =
                    (rendering, arguments, named) ->
                            call(parameters, body, scope, rendering, arguments, named);
            scope.set(name, macro);
            return Statement.Next.GO_ON;
        };
    }

    private static Object call(
            Map<String, Expression> parameters,
            Statement body,
            Scope around,
            Rendering rendering,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named) {
        rendering.enter();
        Scope scope = new Scope(around);
        Map<String, @Nullable Object> given = new HashMap<>(named);
        int index = 0;
        for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
            String name = parameter.getKey();
            if (index < arguments.size()) {
                scope.set(name, arguments.get(index));
            } else if (given.containsKey(name)) {
                scope.set(name, given.get(name));
            } else {
                scope.set(name, parameter.getValue().value(rendering, scope));
            }
            index++;
        }
        int mark = rendering.mark();
        body.run(rendering, scope);
        rendering.leave();
        return rendering.takeFrom(mark);
    }
}
