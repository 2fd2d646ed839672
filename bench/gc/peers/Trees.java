/* Trees.java -- binary trees on OpenJDK
 * SPDX-License-Identifier: MIT
 */
final class Trees {
  Trees left, right;

  static Trees make(int depth) {
    Trees t = new Trees();
    if (depth > 0) {
      t.left = make(depth - 1);
      t.right = make(depth - 1);
    }
    return t;
  }

  int count() {
    return left == null ? 1 : 1 + left.count() + right.count();
  }

  public static void main(String[] args) {
    int most = Integer.parseInt(args[0]);
    System.out.println("stretch tree of depth " + (most + 1) + "\t check: " + make(most + 1).count());
    Trees tree = make(most);
    for (int depth = 4; depth <= most; depth += 2) {
      int rounds = 1 << (most - depth + 4);
      int check = 0;
      for (int i = 0; i < rounds; i++)
        check += make(depth).count();
      System.out.println(rounds + "\t trees of depth " + depth + "\t check: " + check);
    }
    System.out.println("long lived tree of depth " + most + "\t check: " + tree.count());
  }
}
