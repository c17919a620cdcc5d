#!/usr/bin/env python3
"""A folder of images on several ranks, of which rank 0 alone lists it.

usage: mpi_folder.py MPIRUN COMMAND CASE"""

import os
import shutil

from support import hash_of, refuse, run_case, succeed, wrapper, write_image, write_images

LINE = ["train", "--model", "resnet18", "--threads", "1", "--batch", "4", "--shards", "2", "--optimizer", "sgd:lr=0.01",
        "--seed", "3", "--data", "folder:pictures;size=32;val=0.25"]


def copy_for_rank_1(folder):
    """What rank 1 sees at the same path, and a script that leads the ranks to their folders."""
    os.makedirs(f"{folder}/other")
    shutil.copytree(f"{folder}/pictures", f"{folder}/other/pictures", copy_function=shutil.copy2)
    return wrapper(folder, f"cd {folder}/other; else cd {folder}")


def listed_once(folder):
    """Rank 1 sees more images and classes, which it would find if it listed them. Then a file is another one."""
    write_images(folder)
    command = copy_for_rank_1(folder)
    succeed(1, LINE + ["--save", f"{folder}/alone"], command)
    for name in ["a/100.png", "aa/101.png"]:
        write_image(f"{folder}/other/pictures/{name}", 0, 5)
    succeed(2, LINE + ["--save", f"{folder}/spread"], command)
    assert hash_of(f"{folder}/spread") == hash_of(f"{folder}/alone")
    for number in range(16):
        os.utime(f"{folder}/other/pictures/{'abcd'[number % 4]}/{number}.png")
    refuse("has another size or time than the file that rank 0 has listed", 1, 2, LINE, command)


def folder_refusals(folder):
    """What rank 0 cannot list, what rank 1 cannot find, and what is wrong before either."""
    write_images(folder)
    command = copy_for_rank_1(folder)
    refuse("thaw: rank 1: --seed: ", 2, 2, LINE,
           wrapper(folder, f'cd {folder}; set -- "$@" --seed none; else cd {folder}'))
    command = wrapper(folder, f"cd {folder}/other; else cd {folder}")
    os.rename(f"{folder}/other/pictures/c", f"{folder}/other/pictures/z")
    refuse("thaw: rank 1: --data: pictures/c/", 1, 2, LINE, command)
    os.rename(f"{folder}/pictures", f"{folder}/away")
    refuse("thaw: --data: pictures: cannot be read: No such file", 1, 2, LINE, command)


run_case(globals())
