(* trees.ml -- binary trees on OCaml
   SPDX-License-Identifier: MIT *)
type tree = Leaf | Node of tree * tree

let rec make depth =
  if depth = 0 then Node (Leaf, Leaf)
  else
    let left = make (depth - 1) in
    let right = make (depth - 1) in
    Node (left, right)

let rec count = function
  | Leaf -> 0
  | Node (left, right) -> 1 + count left + count right

let () =
  let most = int_of_string Sys.argv.(1) in
  Printf.printf "stretch tree of depth %d\t check: %d\n" (most + 1) (count (make (most + 1)));
  let tree = make most in
  let depth = ref 4 in
  while !depth <= most do
    let rounds = 1 lsl (most - !depth + 4) in
    let check = ref 0 in
    for _ = 1 to rounds do
      check := !check + count (make !depth)
    done;
    Printf.printf "%d\t trees of depth %d\t check: %d\n" rounds !depth !check;
    depth := !depth + 2
  done;
  Printf.printf "long lived tree of depth %d\t check: %d\n" most (count tree)
