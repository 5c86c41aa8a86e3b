"""How odd a program looks that can be parsed: text with a slip in it can often be read in ways that nobody means."""

from __future__ import annotations

import ast

_LITERALS = (ast.Constant, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp)
_ANNOTATIONS = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp)
_WORTH_A_STATEMENT = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


def oddness(tree: ast.AST) -> float:
    """How odd a program is: 0.0 for one that anybody could have written, higher for what makes little sense."""
    odd = 0.0
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            odd += _of_statement(node)
        elif isinstance(node, ast.expr):
            odd += _of_expression(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A text that stands alone is a docstring, and so the first of its block.
            odd += sum(0.8 for one in body[1:] if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            odd += sum(0.7 for one in body[:-1] if isinstance(one, ast.Return | ast.Raise | ast.Break | ast.Continue))
    return odd


def _of_statement(node: ast.stmt) -> float:
    odd = 0.0
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        odd = 0.0 if isinstance(node.value.value, str) or node.value.value is ... else 1.5
    elif isinstance(node, ast.Expr):
        odd = 0.0 if isinstance(node.value, _WORTH_A_STATEMENT) else 1.5
    elif isinstance(node, ast.AnnAssign):
        number = isinstance(node.annotation, ast.Constant) and not isinstance(node.annotation.value, str | None)
        odd = 0.4 * (node.value is None) + 1.6 * (not isinstance(node.annotation, _ANNOTATIONS) or number)
    elif isinstance(node, ast.Assign):
        odd = 0.6 * any(isinstance(one, ast.Tuple | ast.List) and not one.elts for one in node.targets)
    elif isinstance(node, ast.If | ast.While):
        odd = 1.5 * isinstance(node.test, ast.Tuple | ast.List | ast.Lambda)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        notes = [one.annotation for one in node.args.args if one.annotation is not None]
        odd = sum(1.2 for one in notes if not isinstance(one, _ANNOTATIONS))
    elif isinstance(node, ast.Delete):
        odd = 0.3
    return odd


def _of_expression(node: ast.expr) -> float:
    odd = 0.1 * isinstance(node, ast.Set | ast.Lambda | ast.Starred) + 0.4 * isinstance(node, ast.NamedExpr)
    if isinstance(node, ast.Call):
        odd = 3.0 * isinstance(node.func, (*_LITERALS, ast.Compare, ast.BinOp, ast.UnaryOp))
    elif isinstance(node, ast.Subscript):
        number = isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str | bytes)
        odd = 2.0 * (number or isinstance(node.value, ast.Set | ast.BinOp | ast.Compare))
    elif isinstance(node, ast.Attribute):
        odd = 1.0 * (isinstance(node.value, ast.Compare | ast.Constant) and not _is_text(node.value))
    elif isinstance(node, ast.Compare):
        literal = isinstance(node.left, ast.Lambda | ast.Dict | ast.List)
        mixed = len({isinstance(one, ast.In | ast.NotIn | ast.Is | ast.IsNot) for one in node.ops}) > 1
        odd = 0.6 * (len(node.ops) > 1) + 1.0 * mixed + 1.0 * literal
    elif isinstance(node, ast.BinOp):
        both = (node.left, node.right)
        text = any(_is_text(one) for one in both) and not isinstance(node.op, ast.Add | ast.Mod | ast.Mult | ast.BitOr)
        compared = any(isinstance(one, ast.Compare | ast.BoolOp | ast.Lambda) for one in both)
        odd = 1.5 * text + 0.7 * isinstance(node.op, ast.MatMult) + 0.8 * compared
    elif isinstance(node, ast.UnaryOp):
        odd = 2.0 if _is_text(node.operand) else 0.3 * isinstance(node.op, ast.Invert | ast.UAdd)
    elif isinstance(node, ast.Tuple):
        odd = 0.5 * (len(node.elts) == 1)
    return odd


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
