"""Strips what only people and type checkers read: types, docstrings, messages of refusals."""

import ast


def strip(tree: ast.Module, *, errors: set[str]) -> None:
    """In place. `errors` are exceptions of which a board looks at the class only."""
    _Strip(errors).visit(tree)
    ast.fix_missing_locations(tree)


class _Strip(ast.NodeTransformer):
    def __init__(self, errors: set[str]) -> None:
        self._errors = errors

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        [*bases] = node.bases
        if not node.body and len(bases) == 1 and isinstance(bases[0], ast.Call):
            # a namedtuple whose subclass only has types: one class and one object less each
            return ast.Assign([ast.Name(node.name, ast.Store())], bases[0])
        node.body = node.body or [ast.Pass()]
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        match node.exc:
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments) if (
                name in self._errors
            ):
                arguments[0] = ast.Constant("")
        return self.generic_visit(node)
