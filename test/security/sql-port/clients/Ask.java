import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.sql.Timestamp;

/**
 * What DBeaver, Metabase and other tools ask through JDBC. Run with clickhouse-jdbc (its -all jar) and slf4j-api in the class
 * path: java -cp clickhouse-jdbc-0.9.4-all.jar:slf4j-api-2.0.17.jar Ask.java
 */
public class Ask {
  static void print(String what, ResultSet rows) throws Exception {
    int columns = rows.getMetaData().getColumnCount();
    int count = 0;
    for (; rows.next(); count++) for (int i = 1; i <= columns; i++) rows.getObject(i);
    System.out.println(what + ": " + count + " rows");
  }

  public static void main(String[] args) throws Exception {
    Class.forName("com.clickhouse.jdbc.Driver");
    try (Connection connection = DriverManager.getConnection("jdbc:clickhouse://127.0.0.1:8124/default")) {
      var meta = connection.getMetaData();
      System.out.println(meta.getDatabaseProductVersion() + ", driver " + meta.getDriverVersion());
      print("catalogs", meta.getCatalogs());
      print("schemas", meta.getSchemas());
      print("tables", meta.getTables(null, "default", "%", null));
      print("views", meta.getTables(null, "default", "%", new String[] {"TABLE", "VIEW"}));
      print("kinds", meta.getTableTypes());
      print("columns", meta.getColumns(null, "default", "predictions", "%"));
      print("keys", meta.getPrimaryKeys(null, "default", "predictions"));
      print("indices", meta.getIndexInfo(null, "default", "predictions", false, false));
      print("types", meta.getTypeInfo());
      print("functions", meta.getFunctions(null, null, "%"));
      print("references", meta.getImportedKeys(null, "default", "predictions"));
      System.out.println("valid: " + connection.isValid(5));
      try (Statement statement = connection.createStatement()) {
        print("models", statement.executeQuery("SELECT model_id, count() FROM predictions GROUP BY model_id"));
        statement.setMaxRows(10);
        statement.setQueryTimeout(20);
        print("ten", statement.executeQuery("SELECT number FROM numbers(100)"));
      }
      String where = "SELECT number FROM numbers(10) WHERE number > ? AND toString(number) != ? AND now() > ?";
      try (PreparedStatement prepared = connection.prepareStatement(where)) {
        prepared.setInt(1, 3);
        prepared.setString(2, "a'b");
        prepared.setTimestamp(3, new Timestamp(0));
        print("prepared", prepared.executeQuery());
      }
      String numbers = "SELECT number, toString(number) FROM numbers(10) WHERE number > ?";
      try (PreparedStatement prepared = connection.prepareStatement(numbers)) {
        System.out.println("columns to come: " + prepared.getMetaData().getColumnCount());
      }
    }
  }
}
