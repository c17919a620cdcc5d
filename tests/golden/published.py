"""Optimizers that PyTorch lacks, as their papers write them, one parameter at a time: what optimizers.py runs for them."""

import math

import torch


class Published(torch.optim.Optimizer):
    """Calls `update` of a subclass for each parameter, with the step, from 1, and the state, zeros at first."""

    slots = ()

    def __init__(self, params, foreach=False, **defaults):
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["step"] = 0
                    state.update((name, torch.zeros_like(parameter)) for name in self.slots)
                state["step"] += 1
                self.update(parameter, parameter.grad, state, state["step"], **group)


class Lion(Published):
    """Chen et al. 2023, arXiv 2302.06675, algorithm 2."""

    slots = ("exp_avg",)

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, foreach=False):
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def update(self, p, g, state, step, lr, betas, weight_decay, **_):
        m = state["exp_avg"]
        blend = betas[0] * m + (1 - betas[0]) * g
        p.copy_(p - lr * (blend.sign() + weight_decay * p))
        m.copy_(betas[1] * m + (1 - betas[1]) * g)


class ADOPT(Published):
    """Taniguchi et al. 2024, arXiv 2411.02853, algorithm 2, whose t is the step less one."""

    slots = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.9999), eps=1e-6, weight_decay=0.0, decouple=False, foreach=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decouple=decouple)

    def update(self, p, g, state, step, lr, betas, eps, weight_decay, decouple, **_):
        m, v, t = state["exp_avg"], state["exp_avg_sq"], step - 1
        if not decouple:
            g = g + weight_decay * p
        if t == 0:
            v.copy_(g**2)
            return
        clip = t**0.25
        m.copy_(betas[0] * m + (1 - betas[0]) * (g / v.sqrt().clamp(min=eps)).clamp(-clip, clip))
        p.copy_(p - lr * (m + (weight_decay * p if decouple else 0)))
        v.copy_(betas[1] * v + (1 - betas[1]) * g**2)


class Adan(Published):
    """Xie et al. 2022, arXiv 2208.06677, algorithm 1, with the betas that its authors' code has: 1 less the paper's, and
    bias correction. no_prox: decay before the step."""

    slots = ("exp_avg", "exp_avg_diff", "exp_avg_sq", "neg_pre_grad")

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0, no_prox=False, foreach=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, no_prox=no_prox)

    def update(self, p, g, state, step, lr, betas, eps, weight_decay, no_prox, **_):
        m, d, v = state["exp_avg"], state["exp_avg_diff"], state["exp_avg_sq"]
        change = torch.zeros_like(g) if step == 1 else g + state["neg_pre_grad"]
        m.copy_(betas[0] * m + (1 - betas[0]) * g)
        d.copy_(betas[1] * d + (1 - betas[1]) * change)
        v.copy_(betas[2] * v + (1 - betas[2]) * (g + betas[1] * change)**2)
        corrected = [1 - beta**step for beta in betas]
        denominator = v.sqrt() / math.sqrt(corrected[2]) + eps
        moved = lr * (m / corrected[0] + betas[1] * d / corrected[1]) / denominator
        p.copy_((1 - lr * weight_decay) * p - moved if no_prox else (p - moved) / (1 + lr * weight_decay))
        state["neg_pre_grad"].copy_(-g)


class AdEMAMix(Published):
    """Pagliardini et al. 2024, arXiv 2409.03137, algorithm 1, with the schedules of its appendix A.1; its authors' code
    adds 1e-8 to a beta before it takes the logarithm."""

    slots = ("exp_avg_fast", "exp_avg_slow", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999, 0.9999), alpha=2.0, beta3_warmup=0, alpha_warmup=0, eps=1e-8,
                 weight_decay=0.0, foreach=False):
        super().__init__(params, lr=lr, betas=betas, alpha=alpha, beta3_warmup=beta3_warmup, alpha_warmup=alpha_warmup,
                         eps=eps, weight_decay=weight_decay)

    def update(self, p, g, state, step, lr, betas, alpha, beta3_warmup, alpha_warmup, eps, weight_decay, **_):
        fast, slow, v = state["exp_avg_fast"], state["exp_avg_slow"], state["exp_avg_sq"]
        beta1, beta2, beta3 = betas
        if step < alpha_warmup:
            alpha *= step / alpha_warmup
        if step < beta3_warmup:
            share, (first, last) = step / beta3_warmup, [math.log(beta + 1e-8) for beta in (beta1, beta3)]
            beta3 = math.exp(1 / ((1 - share) / first + share / last))
        fast.copy_(beta1 * fast + (1 - beta1) * g)
        slow.copy_(beta3 * slow + (1 - beta3) * g)
        v.copy_(beta2 * v + (1 - beta2) * g**2)
        moved = (fast / (1 - beta1**step) + alpha * slow) / (v.sqrt() / math.sqrt(1 - beta2**step) + eps)
        p.copy_(p - lr * (moved + weight_decay * p))


class LAMB(Published):
    """You et al. 2020, arXiv 1904.00962, algorithm 2, with phi(z) = z and a ratio of 1 where a norm is 0."""

    slots = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01, foreach=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, p, g, state, step, lr, betas, eps, weight_decay, **_):
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m.copy_(betas[0] * m + (1 - betas[0]) * g)
        v.copy_(betas[1] * v + (1 - betas[1]) * g**2)
        r = (m / (1 - betas[0]**step)) / ((v / (1 - betas[1]**step)).sqrt() + eps) + weight_decay * p
        own, moved = p.double().norm().item(), r.double().norm().item()
        p.copy_(p - lr * (own / moved if own > 0 and moved > 0 else 1) * r)


class LARS(Published):
    """You, Gitman & Ginsburg 2017, arXiv 1708.03888, for a matrix, with the decay inside of the scaled gradient as in MoCo
    v3, arXiv 2104.02057."""

    slots = ("momentum_buffer",)

    def __init__(self, params, lr=1e-3, momentum=0.9, weight_decay=0.0, trust_coefficient=1e-3, foreach=False):
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay, trust_coefficient=trust_coefficient)

    def update(self, p, g, state, step, lr, momentum, weight_decay, trust_coefficient, **_):
        g = g + weight_decay * p
        own, moved = p.double().norm().item(), g.double().norm().item()
        buffer = state["momentum_buffer"]
        buffer.copy_(momentum * buffer + (trust_coefficient * own / moved if own > 0 and moved > 0 else 1) * g)
        p.copy_(p - lr * buffer)


class Prodigy(torch.optim.Optimizer):
    """Mishchenko & Defazio 2023, arXiv 2306.06101, algorithm 4, with the numerator's decay, the numbers' names and the order
    of operations of their package. A parameter without a gradient takes no part; each counts its own steps. A learning
    rate of its own weighs what a parameter adds to the estimate."""

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=0, eps=1e-8, weight_decay=0.0, decouple=True, d0=1e-6,
                 d_coef=1.0, growth_rate=0, use_bias_correction=False, safeguard_warmup=False):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decouple=decouple))
        self.beta3, self.d0, self.d_coef, self.growth_rate = beta3 or math.sqrt(betas[1]), d0, d_coef, growth_rate
        self.corrects, self.safeguard = use_bias_correction, safeguard_warmup
        self.d, self.d_max, self.d_numerator = d0, d0, 0.0

    def moments(self, p, lr, betas, weight_decay, decouple, **_):
        """Takes the gradient in. Returns the rate of this parameter's step, and what it adds to the sums."""
        state, (beta1, beta2) = self.state[p], betas
        if not state:
            names = ("s", "exp_avg_sq", "exp_avg") if beta1 > 0 else ("s", "exp_avg_sq")
            state.update(step=0, p0=p.clone(), **{name: torch.zeros_like(p) for name in names})
        state["step"] += 1
        corrected = math.sqrt(1 - beta2**state["step"]) / (1 - beta1**state["step"]) if self.corrects else 1
        rate, weight = self.d * lr * corrected, self.d / self.d0
        state["rate"] = rate
        state["g"] = g = p.grad if decouple else p.grad + weight_decay * p
        if beta1 > 0:
            state["exp_avg"].copy_(beta1 * state["exp_avg"] + self.d * (1 - beta1) * g)
        state["exp_avg_sq"].copy_(beta2 * state["exp_avg_sq"] + self.d**2 * (1 - beta2) * g * g)
        state["s"].copy_(self.beta3 * state["s"] + weight * (self.d if self.safeguard else rate) * g)
        way = (g.double() * (state["p0"] - p).double()).sum().item()
        return weight * rate * way, state["s"].double().abs().sum().item()

    def grow(self, progress, length):
        self.d_numerator = self.beta3 * self.d_numerator + progress
        found = self.d_coef * self.d_numerator / length
        before = max(self.d, found) if self.d == self.d0 else self.d
        self.d_max = max(self.d_max, found)
        self.d = min(self.d_max, before * (self.growth_rate or math.inf))

    @torch.no_grad()
    def step(self):
        moving = [(group, p) for group in self.param_groups for p in group["params"] if p.grad is not None]
        terms = [self.moments(p, **group) for group, p in moving if group["lr"] > 0]
        d, length = self.d, sum(term[1] for term in terms)
        if length == 0:
            return
        self.grow(sum(term[0] for term in terms), length)
        for group, p in moving:
            state = self.state[p]
            if group["weight_decay"] and group["decouple"]:
                p.sub_(p * (state["rate"] * group["weight_decay"]))
            blend = state["exp_avg"] if group["betas"][0] > 0 else d * state["g"]
            p.sub_(state["rate"] * blend / (state["exp_avg_sq"].sqrt() + self.d * group["eps"]))
            for name in ("d", "d_max", "d_numerator"):
                state[name] = torch.tensor(getattr(self, name))


class Wrapper:
    """Another optimizer of one parameter, which keeps what it has besides in the state of that."""

    def __init__(self, wrapped):
        self.wrapped, self.param_groups, self.state = wrapped, wrapped.param_groups, wrapped.state
        self.parameter, = wrapped.param_groups[0]["params"]

    @torch.no_grad()
    def step(self):
        before = self.parameter.clone()
        with torch.enable_grad():
            self.wrapped.step()
        self.follow(self.parameter, before, self.state[self.parameter])


class Lookahead(Wrapper):
    """Zhang et al. 2019, arXiv 1907.08610, algorithm 1."""

    def __init__(self, wrapped, k=5, alpha=0.5):
        super().__init__(wrapped)
        self.k, self.alpha, self.steps = k, alpha, 0

    def follow(self, fast, before, state):
        slow = state.setdefault("slow", before)
        self.steps += 1
        if self.steps % self.k == 0:
            slow.copy_(slow + self.alpha * (fast - slow))
            fast.copy_(slow)


class Cautious(Wrapper):
    """Liang et al. 2024, arXiv 2411.16085, algorithm 1, with the mean of the mask as its authors' code bounds it."""

    def __init__(self, wrapped, eps=1e-3):
        super().__init__(wrapped)
        self.eps = eps

    def follow(self, p, before, state):
        step = p - before
        mask = (step * p.grad < 0).float()
        p.copy_(before + step * mask / mask.mean().clamp(min=self.eps))
