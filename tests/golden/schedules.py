"""Learning-rate factors of PyTorch's schedulers: writes schedules.txt beside this file. Run with PyTorch 2.13."""
import pathlib

import torch

EPOCHS, EPOCH_STEPS = 5, 4
STEPS = EPOCHS * EPOCH_STEPS


def factors(make, each_step=True):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for step in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if each_step or (step + 1) % EPOCH_STEPS == 0:
            scheduler.step()
    return found


schedules = torch.optim.lr_scheduler
rows = {
    "step:gamma=0.5,every=2": factors(lambda o: schedules.StepLR(o, 2, gamma=0.5), each_step=False),
    "cosine:floor=0.01": factors(lambda o: schedules.CosineAnnealingLR(o, STEPS, eta_min=0.01)),
    "one-cycle": factors(lambda o: schedules.OneCycleLR(o, 1.0, total_steps=STEPS, cycle_momentum=False)),
    "one-cycle:rising=0.5,start_divisor=10,end_divisor=100": factors(
        lambda o: schedules.OneCycleLR(
            o, 1.0, total_steps=STEPS, pct_start=0.5, div_factor=10, final_div_factor=100, cycle_momentum=False
        )
    ),
}
with open(pathlib.Path(__file__).with_name("schedules.txt"), "w") as file:
    for name, values in rows.items():
        file.write(name + " " + " ".join(repr(value) for value in values) + "\n")
