package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions by Jinja's grammar, lowest precedence first. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");

    private final TokenReader tokens;

    ExpressionParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    /** Arguments of a call. */
    record Arguments(List<Expression> list, Map<String, Expression> named) {
        List<@Nullable Object> values(Rendering rendering, Scope scope) {
            List<@Nullable Object> values = new ArrayList<>();
            list.forEach(argument -> values.add(argument.value(rendering, scope)));
            return values;
        }

        Map<String, @Nullable Object> namedValues(Rendering rendering, Scope scope) {
            Map<String, @Nullable Object> values = new LinkedHashMap<>();
            named.forEach((name, argument) -> values.put(name, argument.value(rendering, scope)));
            return values;
        }
    }

    /** An expression, with {@code a if b else c}. */
    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.takeName("if")) {
            Expression yes = value;
            Expression condition = or();
            Expression no = tokens.takeName("else") ? expression() : (_, _) -> Values.UNDEFINED;
            value =
                    (rendering, scope) ->
                            Values.isTrue(condition.value(rendering, scope))
                                    ? yes.value(rendering, scope)
                                    : no.value(rendering, scope);
        }
        tokens.leave();
        return value;
    }

    /** An expression that ends before {@code if}, as what a loop goes over. */
    Expression or() {
        Expression value = and();
        while (tokens.takeName("or")) {
            Expression left = value;
            Expression right = and();
            value =
                    (rendering, scope) -> {
                        Object first = left.value(rendering, scope);
                        return Values.isTrue(first) ? first : right.value(rendering, scope);
                    };
        }
        return value;
    }

    private Expression and() {
        Expression value = not();
        while (tokens.takeName("and")) {
            Expression left = value;
            Expression right = not();
            value =
                    (rendering, scope) -> {
                        Object first = left.value(rendering, scope);
                        return Values.isTrue(first) ? right.value(rendering, scope) : first;
                    };
        }
        return value;
    }

    private Expression not() {
        if (!tokens.takeName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression value = not();
        tokens.leave();
        return (rendering, scope) -> !Values.isTrue(value.value(rendering, scope));
    }

    private Expression comparison() {
        Expression value = sum();
        while (true) {
            Expression left = value;
            if (tokens.peek().kind() == Token.Kind.OPERATOR
                    && COMPARISONS.contains(tokens.peek().text())) {
                String operator = tokens.next().text();
                Expression right = sum();
                value =
                        (rendering, scope) -> {
                            Object first = left.value(rendering, scope);
                            rendering.read(first);
                            return compare(operator, first, right.value(rendering, scope));
                        };
            } else if (tokens.peek().isName("in")
                    || (tokens.peek().isName("not") && tokens.peekSecond().isName("in"))) {
                boolean negated = tokens.takeName("not");
                tokens.name("in");
                Expression right = sum();
                value =
                        (rendering, scope) -> {
                            Object part = left.value(rendering, scope);
                            Object container = right.value(rendering, scope);
                            rendering.read(container);
                            return negated != Values.contains(container, part);
                        };
            } else {
                return value;
            }
        }
    }

    private static boolean compare(String operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case "==" -> Values.areEqual(left, right);
            case "!=" -> !Values.areEqual(left, right);
            case "<" -> Values.compare(left, right) < 0;
            case ">" -> Values.compare(left, right) > 0;
            case "<=" -> Values.compare(left, right) <= 0;
            default -> Values.compare(left, right) >= 0;
        };
    }

    private Expression sum() {
        Expression value = joined();
        while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
            value = arithmetic(tokens.next().text(), value, joined());
        }
        return value;
    }

    private Expression joined() {
        Expression value = product();
        while (tokens.takeOperator("~")) {
            Expression left = value;
            Expression right = product();
            value =
                    (rendering, scope) ->
                            Values.arithmetic(
                                    "+",
                                    Values.string(left.value(rendering, scope)),
                                    Values.string(right.value(rendering, scope)),
                                    rendering);
        }
        return value;
    }

    private Expression product() {
        Expression value = unary();
        while (tokens.peek().kind() == Token.Kind.OPERATOR
                && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
            value = arithmetic(tokens.next().text(), value, unary());
        }
        return value;
    }

    private static Expression arithmetic(String operator, Expression left, Expression right) {
        return (rendering, scope) -> {
            rendering.step();
            return Values.arithmetic(
                    operator,
                    left.value(rendering, scope),
                    right.value(rendering, scope),
                    rendering);
        };
    }

    private Expression unary() {
        tokens.enter();
        Expression value;
        if (tokens.takeOperator("-")) {
            Expression positive = unary();
            value = arithmetic("-", (_, _) -> 0L, positive);
        } else if (tokens.takeOperator("+")) {
            value = unary();
        } else {
            value = filtered(postfix(primary()));
            if (tokens.takeOperator("**")) {
                value = arithmetic("**", value, unary());
            }
        }
        tokens.leave();
        return value;
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Token.Kind.STRING) {
                    text.append(tokens.next().text());
                }
                String whole = text.toString();
                yield (_, _) -> whole;
            }
            case INTEGER, FLOAT -> {
                Object number = number(token);
                yield (_, _) -> number;
            }
            case NAME -> name(token.text());
            default -> opened(token.text());
        };
    }

    private Expression opened(String bracket) {
        return switch (bracket) {
            case "(" -> parenthesized();
            case "[" -> list("]");
            case "{" -> map();
            default ->
                    throw new TemplateRefusal("it has '" + bracket + "' where a value is needed");
        };
    }

    private static Object number(Token token) {
        try {
            return token.kind() == Token.Kind.FLOAT
                    ? (Object) Double.valueOf(token.text())
                    : (Object) Long.valueOf(token.text());
        } catch (NumberFormatException e) {
            throw new TemplateRefusal("it has a number that is too long");
        }
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> (_, _) -> true;
            case "false", "False" -> (_, _) -> false;
            case "none", "None" -> (_, _) -> null;
            default ->
                    (rendering, scope) -> {
                        rendering.step();
                        return scope.get(name);
                    };
        };
    }

    private Expression parenthesized() {
        if (tokens.takeOperator(")")) {
            return (_, _) -> new ArrayList<>();
        }
        Expression first = expression();
        if (tokens.takeOperator(",")) {
            Arguments rest = elements(")");
            return (rendering, scope) -> {
                List<@Nullable Object> values = new ArrayList<>();
                values.add(first.value(rendering, scope));
                values.addAll(rest.values(rendering, scope));
                return rendering.made(values, values.size());
            };
        }
        tokens.operator(")");
        return first;
    }

    private Expression list(String end) {
        Arguments parts = elements(end);
        return (rendering, scope) ->
                rendering.made(parts.values(rendering, scope), parts.list().size());
    }

    private Arguments elements(String end) {
        List<Expression> parts = new ArrayList<>();
        while (!tokens.takeOperator(end)) {
            parts.add(expression());
            if (!tokens.peek().isOperator(end)) {
                tokens.operator(",");
            }
        }
        return new Arguments(parts, Map.of());
    }

    private Expression map() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.takeOperator("}")) {
            keys.add(expression());
            tokens.operator(":");
            values.add(expression());
            if (!tokens.peek().isOperator("}")) {
                tokens.operator(",");
            }
        }
        return (rendering, scope) -> {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            for (int i = 0; i < keys.size(); i++) {
                map.put(
                        Values.string(keys.get(i).value(rendering, scope)),
                        values.get(i).value(rendering, scope));
            }
            return rendering.made(map, map.size());
        };
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Expression base = value;
            if (tokens.takeOperator(".")) {
                String name =
                        tokens.peek().kind() == Token.Kind.INTEGER
                                ? tokens.next().text()
                                : tokens.name();
                if (tokens.takeOperator("(")) {
                    value = method(base, name, arguments());
                } else {
                    value = (rendering, scope) -> Values.part(base.value(rendering, scope), name);
                }
            } else if (tokens.takeOperator("[")) {
                value = subscript(base);
            } else if (tokens.takeOperator("(")) {
                Arguments arguments = arguments();
                value =
                        (rendering, scope) ->
                                call(base.value(rendering, scope), arguments, rendering, scope);
            } else {
                return value;
            }
        }
    }

    private static Expression method(Expression base, String name, Arguments arguments) {
        return (rendering, scope) -> {
            Object object = base.value(rendering, scope);
            rendering.read(object);
            if (object instanceof Map<?, ?> map && map.get(name) instanceof Callable) {
                return call(map.get(name), arguments, rendering, scope);
            }
            return PythonMethods.call(rendering, object, name, arguments.values(rendering, scope));
        };
    }

    private static @Nullable Object call(
            @Nullable Object function, Arguments arguments, Rendering rendering, Scope scope) {
        if (!(function instanceof Callable callable)) {
            throw new TemplateRefusal("it calls what is no function here");
        }
        rendering.step();
        return callable.call(
                rendering,
                arguments.values(rendering, scope),
                arguments.namedValues(rendering, scope));
    }

    private Expression subscript(Expression base) {
        @Nullable Expression[] parts = new @Nullable Expression[3];
        int count = 0;
        while (!tokens.takeOperator("]")) {
            if (tokens.takeOperator(":")) {
                if (++count > 2) {
                    throw tokens.wrong("']'");
                }
            } else {
                parts[count] = expression();
            }
        }
        Expression first = parts[0];
        if (count == 0) {
            if (first == null) {
                throw tokens.wrong("a value");
            }
            return (rendering, scope) ->
                    Values.part(base.value(rendering, scope), first.value(rendering, scope));
        }
        Expression second = parts[1];
        Expression third = parts[2];
        return (rendering, scope) ->
                Values.slice(
                        base.value(rendering, scope),
                        first == null ? null : first.value(rendering, scope),
                        second == null ? null : second.value(rendering, scope),
                        third == null ? null : third.value(rendering, scope),
                        rendering);
    }

    /** After the opening parenthesis. */
    private Arguments arguments() {
        List<Expression> list = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.takeOperator(")")) {
            if (tokens.peek().kind() == Token.Kind.NAME && tokens.peekSecond().isOperator("=")) {
                String name = tokens.name();
                tokens.operator("=");
                named.put(name, expression());
            } else {
                list.add(expression());
            }
            if (!tokens.peek().isOperator(")")) {
                tokens.operator(",");
            }
        }
        return new Arguments(list, named);
    }

    private Expression filtered(Expression start) {
        Expression value = start;
        while (true) {
            Expression base = value;
            if (tokens.takeOperator("|")) {
                String name = tokens.name();
                Arguments arguments =
                        tokens.takeOperator("(") ? arguments() : new Arguments(List.of(), Map.of());
                value =
                        (rendering, scope) -> {
                            Object object = base.value(rendering, scope);
                            rendering.read(object);
                            return Filters.apply(
                                    name,
                                    object,
                                    arguments.values(rendering, scope),
                                    arguments.namedValues(rendering, scope),
                                    rendering);
                        };
            } else if (tokens.takeName("is")) {
                boolean negated = tokens.takeName("not");
                String name = tokens.name();
                Arguments arguments = testArguments();
                value =
                        (rendering, scope) -> {
                            Object object = base.value(rendering, scope);
                            rendering.read(object);
                            return negated
                                    != Tests.holds(
                                            name, object, arguments.values(rendering, scope));
                        };
            } else if (tokens.peek().isOperator("[") || tokens.peek().isOperator(".")) {
                value = postfix(base);
            } else {
                return value;
            }
        }
    }

    private Arguments testArguments() {
        if (tokens.takeOperator("(")) {
            return arguments();
        }
        Token token = tokens.peek();
        boolean word =
                token.kind() == Token.Kind.NAME
                        && !Set.of("else", "or", "and", "if", "in", "is", "not")
                                .contains(token.text());
        if (word || token.kind() == Token.Kind.STRING || token.kind() == Token.Kind.INTEGER) {
            return new Arguments(List.of(postfix(primary())), Map.of());
        }
        return new Arguments(List.of(), Map.of());
    }
}
