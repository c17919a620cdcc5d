"""Shampoo and SOAP as their papers and their authors' code describe them, in double: Gupta, Koren & Singer 2018 (arXiv
1802.09568) with the options of Distributed Shampoo (Shi et al. 2023, arXiv 2309.06497), and Vyas et al. 2024 (arXiv
2409.11321). For matrices; the second sees a vector as a matrix of one row. Run alone, it compares itself with
pytorch_optimizer 4.1, where that does the same; its SOAP decomposes in float."""

import torch

from support import fill


class Preconditioned:
    """What matrix_optimizers.py needs of an optimizer."""

    defaults = {}

    def __init__(self, parameter, **given):
        assert given.keys() <= self.defaults.keys(), given
        self.parameter, self.options = parameter, {**self.defaults, **given}
        self.param_groups = [self.options]
        self.state = {parameter: {}}
        self.steps = 0

    def sides(self, limit):
        return [k for k, side in enumerate(self.parameter.shape) if side <= limit]

    @torch.no_grad()
    def step(self):
        self.steps += 1
        self.update(self.parameter.grad.double(), self.options, self.state[self.parameter])


def outer(gradient, side):
    return gradient @ gradient.T if side == 0 else gradient.T @ gradient


def along(matrix, side, turn):
    """The product of `turn` with the columns, or with the rows."""
    return turn @ matrix if side == 0 else matrix @ turn.T


class Shampoo(Preconditioned):
    defaults = {"lr": 1e-2, "beta1": 0.9, "beta2": 1, "epsilon": 1e-12, "momentum": 0, "weight_decay": 0,
                "max_preconditioner_dim": 1024, "precondition_frequency": 1, "use_nesterov": 0,
                "use_bias_correction": 1, "use_decoupled_weight_decay": 1}

    def update(self, gradient, o, state):
        value = self.parameter.double()
        if not o["use_decoupled_weight_decay"]:
            gradient = gradient + o["weight_decay"] * value
        corrections = [1 - beta**self.steps if o["use_bias_correction"] and beta < 1 else 1
                       for beta in (o["beta1"], o["beta2"])]
        sides = self.sides(o["max_preconditioner_dim"])
        for side in sides:
            name = ("left", "right")[side]
            old = state.get("factor_" + name, 0 * outer(gradient, side))
            fresh = 1 - o["beta2"] if o["beta2"] < 1 else 1
            state["factor_" + name] = o["beta2"] * old + fresh * outer(gradient, side)
            if self.steps == 1 or self.steps % o["precondition_frequency"] == 0:
                values, vectors = torch.linalg.eigh(state["factor_" + name] / corrections[1])
                values = values - min(values.min(), 0) + o["epsilon"]
                state["inverse_" + name] = vectors @ torch.diag(values ** (-1 / (2 * len(sides)))) @ vectors.T
        direction = gradient
        if o["beta1"]:
            state["filtered_grad"] = (o["beta1"] * state.get("filtered_grad", 0 * gradient) +
                                      (1 - o["beta1"]) * gradient)
            direction = state["filtered_grad"] / corrections[0]
        for side in sides:
            direction = along(direction, side, state["inverse_" + ("left", "right")[side]])
        if o["use_decoupled_weight_decay"]:
            direction = direction + o["weight_decay"] * value
        if o["momentum"]:
            state["momentum"] = o["momentum"] * state.get("momentum", 0 * gradient) + direction
            direction = state["momentum"] * (o["momentum"] if o["use_nesterov"] else 1) + (
                direction if o["use_nesterov"] else 0)
        self.parameter.copy_(value - o["lr"] * direction)


class Soap(Preconditioned):
    defaults = {"lr": 3e-3, "beta1": 0.95, "beta2": 0.95, "shampoo_beta": -1, "eps": 1e-8, "weight_decay": 0.01,
                "precondition_frequency": 10, "max_precond_dim": 2048, "normalize_grads": 0, "correct_bias": 1}

    def sides(self, limit):
        return [] if min(self.parameter.shape) == 1 else super().sides(limit)

    def update(self, gradient, o, state):
        value, steps = self.parameter.double(), self.steps - 1
        sides = self.sides(o["max_precond_dim"])
        if steps == 0:
            self.mean, self.bases = 0 * gradient, {}
            state["exp_avg_sq"] = 0 * gradient
        else:
            self.mean = o["beta1"] * self.mean + (1 - o["beta1"]) * gradient
            turned, mean = gradient, self.mean
            for side in sides:
                turned, mean = along(turned, side, self.bases[side].T), along(mean, side, self.bases[side].T)
            state["exp_avg_sq"] = o["beta2"] * state["exp_avg_sq"] + (1 - o["beta2"]) * turned**2
            direction = mean / (state["exp_avg_sq"].sqrt() + o["eps"])
            for side in sides:
                direction = along(direction, side, self.bases[side])
            rate = o["lr"]
            if o["correct_bias"]:
                rate *= (1 - o["beta2"] ** steps) ** 0.5 / (1 - o["beta1"] ** steps)
            if o["normalize_grads"]:
                direction = direction / ((direction**2).mean().sqrt() + o["eps"])
            value = value - rate * direction
            self.parameter.copy_(value - o["lr"] * o["weight_decay"] * value)
        beta = o["shampoo_beta"] if o["shampoo_beta"] >= 0 else o["beta2"]
        for side in sides:
            name = "GG_" + ("left", "right")[side]
            state[name] = beta * state.get(name, 0 * outer(gradient, side)) + (1 - beta) * outer(gradient, side)
            if steps == 0:
                self.bases[side] = torch.linalg.eigh(state[name])[1].flip(1)
            elif steps % o["precondition_frequency"] == 0:
                product = state[name] @ self.bases[side]
                order = (self.bases[side] * product).sum(0).argsort(descending=True)
                state["exp_avg_sq"] = state["exp_avg_sq"].index_select(side, order)
                self.bases[side] = torch.linalg.qr(product[:, order])[0]


def separated(shape, seed):
    """The gradient of a step: noise, and reflections of 1, sqrt(2), sqrt(3) ..., so that the eigenvalues of its outer
    products lie apart."""
    rows, columns = (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1:].numel())
    roots = torch.zeros(rows, columns, dtype=torch.float64)
    for k in range(min(rows, columns)):
        roots[k, k] = (k + 1) ** 0.5
    for dim, side in ((0, rows), (1, columns)):
        roots = roots - 2 / side * roots.sum(dim, keepdim=True)
    return (NOISE * fill(rows * columns, seed).double().reshape(rows, columns) + roots).float().reshape(shape)


NOISE = 0.125


def main():
    import pytorch_optimizer

    shape = torch.Size((8, 8))
    for own, other in (
            (lambda p: Soap(p, lr=0.05), lambda p: pytorch_optimizer.SOAP([p], lr=0.05)),
            (lambda p: Soap(p, lr=0.05, shampoo_beta=0.8, precondition_frequency=3, normalize_grads=1),
             lambda p: pytorch_optimizer.SOAP([p], lr=0.05, shampoo_beta=0.8, precondition_frequency=3,
                                              normalize_gradient=True)),
            (lambda p: Shampoo(p, lr=0.05, beta1=0, epsilon=1e-6), lambda p: pytorch_optimizer.Shampoo([p], lr=0.05)),
            (lambda p: Shampoo(p, lr=0.05, beta1=0, epsilon=1e-6, weight_decay=0.1, use_decoupled_weight_decay=0),
             lambda p: pytorch_optimizer.Shampoo([p], lr=0.05, weight_decay=0.1))):
        results = []
        for make in (own, other):
            parameter = torch.nn.Parameter(fill(shape, 100).double())
            optimizer = make(parameter)
            for step in range(1, 21):
                parameter.grad = separated(shape, 1000 * step).double()
                optimizer.step()
            results.append(parameter.detach())
        print(f"{type(optimizer).__name__}: largest difference {(results[0] - results[1]).abs().max():.2g}, "
              f"largest value {results[1].abs().max():.2g}")


if __name__ == "__main__":
    main()
